import { http2Library } from "../http/h2/library.ts";
import { type AttemptOptions, type AttemptResult, ready } from "./attempt-result.ts";
import type { ProbeTarget } from "./probe-target.ts";

type GrpcTarget = Extract<ProbeTarget, { kind: "grpc" }>;

/** `grpc.health.v1.HealthCheckResponse.ServingStatus`. */
const SERVING = 1;
/** One message: a flag for compression and its length in four bytes, then its bytes. */
const PREFIX_BYTES = 5;
/** The answer is two bytes; what is longer is none. */
const ANSWER_BYTES_MAX = 1_024;
/** Version numbers stay empty, as in the reference. */
const AGENT = "kube-probe//";

/** Ready if the gRPC health service says that the service is serving, over cleartext HTTP/2. */
export function attemptGrpc(
  target: GrpcTarget,
  { clock, timeoutMs, signal }: AttemptOptions,
): Promise<AttemptResult> {
  return new Promise((resolve) => {
    const host = target.ip.includes(":") ? `[${target.ip}]` : target.ip;
    const session = http2Library().connect(`http://${host}:${target.port}`);
    const finish = (result: AttemptResult): void => {
      timer[Symbol.dispose]();
      signal?.removeEventListener("abort", abandon);
      session.destroy();
      resolve(result);
    };
    const abandon = (): void => finish({ kind: "not-ready", because: "abandoned" });
    const failed = (error: Error): void => finish({ kind: "not-ready", because: error.message });
    const timer = clock.after(timeoutMs, () => {
      finish({ kind: "not-ready", because: `no answer within ${timeoutMs} ms` });
    });
    session.on("error", failed);
    session.on("close", () => finish({ kind: "not-ready", because: "the connection was closed" }));
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": AGENT,
    });
    const pieces: Buffer[] = [];
    let bytes = 0;
    stream.on("error", failed);
    stream.on("data", (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= ANSWER_BYTES_MAX) pieces.push(piece);
      else finish({ kind: "not-ready", because: "the answer is too long" });
    });
    stream.on("end", () => finish(verdict(Buffer.concat(pieces))));
    stream.end(checkRequest(target.service));
    signal?.addEventListener("abort", abandon, { once: true });
    if (signal?.aborted === true) abandon();
  });
}

/** `HealthCheckRequest { service = 1 }`; an empty name is left out. */
function checkRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** `HealthCheckResponse { status = 1 }`. An error has no message, so there is nothing to read. */
function verdict(answer: Buffer): AttemptResult {
  if (answer.length < PREFIX_BYTES)
    return { kind: "not-ready", because: "the health service did not answer" };
  const message = answer.subarray(PREFIX_BYTES);
  const status = message[0] === 0x08 ? message[1] : 0; // UNKNOWN is 0, and left out
  return status === SERVING ? ready : { kind: "not-ready", because: `health status ${status}` };
}

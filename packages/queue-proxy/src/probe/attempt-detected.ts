import type * as http2 from "node:http2";
import { type AttemptOptions, type AttemptResult, assert, attempt, type ProbeTarget } from "@rouse/shared";

type HttpTarget = Extract<ProbeTarget, { kind: "http" }>;

/** Version numbers stay empty, as in the reference (Q-99). */
const AGENT = "kube-probe//";

/**
 * Asks an HTTP program that may speak HTTP/2 alone: first by HTTP/2 without the configured headers; where that fails,
 * by HTTP/1.1 without them either, and what that says counts; where it succeeds, by HTTP/2 with them. Q-103
 */
export async function attemptDetected(target: ProbeTarget, options: AttemptOptions): Promise<AttemptResult> {
  if (target.kind !== "http" || target.scheme !== "http") return attempt(target, options);
  const plain = { ...target, headers: [] };
  if ((await attemptHttp2(plain, options)).kind === "not-ready") return attempt(plain, options);
  return target.headers.length === 0 ? { kind: "ready" } : attemptHttp2(target, options);
}

function attemptHttp2(
  target: HttpTarget,
  { clock, timeoutMs, signal }: AttemptOptions,
): Promise<AttemptResult> {
  return new Promise((resolve) => {
    const session = library().connect(
      `http://${target.ip.includes(":") ? `[${target.ip}]` : target.ip}:${target.port}`,
    );
    const finish = (result: AttemptResult): void => {
      timer[Symbol.dispose]();
      signal?.removeEventListener("abort", abandon);
      session.destroy();
      resolve(result);
    };
    const abandon = (): void => finish({ kind: "not-ready", because: "abandoned" });
    const failed = (error: Error): void => finish({ kind: "not-ready", because: error.message });
    const timer = clock.after(timeoutMs, () =>
      finish({ kind: "not-ready", because: `no answer within ${timeoutMs} ms` }),
    );
    session.on("error", failed);
    session.on("close", () => finish({ kind: "not-ready", because: "the connection was closed" }));
    const stream = session.request({ ":path": target.path, "user-agent": AGENT, ...headersOf(target) });
    stream.on("error", failed);
    stream.on("response", (answer) => {
      const status = Number(answer[":status"]);
      const isReady = status >= 200 && status < 400;
      finish(isReady ? { kind: "ready" } : { kind: "not-ready", because: `status ${status}` });
    });
    signal?.addEventListener("abort", abandon, { once: true });
    if (signal?.aborted === true) abandon();
  });
}

function headersOf(target: HttpTarget): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of target.headers) {
    const key = name.toLowerCase();
    headers[key === "host" ? ":authority" : key] = value;
  }
  return headers;
}

function library(): typeof http2 {
  const loaded = process.getBuiltinModule("node:http2");
  assert(loaded !== undefined, "node:http2 is part of Node");
  return loaded;
}

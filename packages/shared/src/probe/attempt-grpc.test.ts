import { createServer } from "node:http2";
import { expect, test } from "vitest";
import { RealClock } from "../clock/real-clock.ts";
import { attempt } from "./attempt.ts";
import { probeTarget } from "./probe-target.ts";

/** A health service that gives `status`, or the gRPC error 5 (not found) for `undefined`. */
async function healthService(statusOf: (service: string) => number | undefined) {
  const server = createServer();
  server.on("stream", (stream, headers) => {
    const pieces: Buffer[] = [];
    stream.on("error", () => {});
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    stream.on("end", () => {
      const request = Buffer.concat(pieces);
      const agent = headers["user-agent"];
      const status = statusOf(`${agent} ${headers[":path"]} ${request.subarray(7).toString()}`);
      stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () =>
        stream.sendTrailers({ "grpc-status": status === undefined ? "5" : "0" }),
      );
      if (status === undefined) stream.end();
      else stream.end(Buffer.from(status === 0 ? [0, 0, 0, 0, 0] : [0, 0, 0, 0, 2, 0x08, status]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

test.each([
  { status: 1, want: { kind: "ready" } },
  { status: 2, want: { kind: "not-ready", because: "health status 2" } },
  { status: 0, want: { kind: "not-ready", because: "health status 0" } },
  { status: undefined, want: { kind: "not-ready", because: "the health service did not answer" } },
])("Q-101: health status $status gives $want.kind", async ({ status, want }) => {
  const asked: string[] = [];
  await using health = await healthService((service) => {
    asked.push(service);
    return status;
  });
  const target = probeTarget({ grpc: { service: "hello" } }, { ip: "127.0.0.1", port: health.port });
  expect(await attempt(target, { clock: new RealClock(), timeoutMs: 5_000 })).toEqual(want);
  expect(asked).toEqual(["kube-probe// /grpc.health.v1.Health/Check hello"]);
});

test("Q-101: nobody listens: not ready, and why", async () => {
  const gone = await healthService(() => 1);
  await gone[Symbol.asyncDispose]();
  const target = probeTarget({ grpc: {} }, { ip: "127.0.0.1", port: gone.port });
  const result = await attempt(target, { clock: new RealClock(), timeoutMs: 5_000 });
  expect(result).toMatchObject({ kind: "not-ready", because: expect.stringContaining("ECONNREFUSED") });
});

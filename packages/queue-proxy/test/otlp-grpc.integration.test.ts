import { createServer, type ServerHttp2Session } from "node:http2";
import { beforeAll, expect, test } from "vitest";
import { call } from "./client.ts";
import { program } from "./program.ts";
import { buildEntryPoint, SidecarProcess, turn } from "./sidecar.ts";

beforeAll(buildEntryPoint, 60_000);

const TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
/** An answer without a field, which says that everything was taken: no compression, no bytes. */
const EMPTY_MESSAGE = Buffer.alloc(5);
const PREFIX_BYTES = 5;

/** A collector that speaks gRPC: keeps what is exported, as text in which names can be found, by method. */
async function collector() {
  const received = new Map<string, string>();
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream, headers) => {
    const pieces: Buffer[] = [];
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    stream.on("end", () => {
      const path = headers[":path"] ?? "";
      const message = Buffer.concat(pieces);
      expect(message.readUInt32BE(1)).toBe(message.length - PREFIX_BYTES);
      received.set(path, `${received.get(path) ?? ""}${message.subarray(PREFIX_BYTES).toString("latin1")}`);
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(EMPTY_MESSAGE);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    endpoint: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    async has(path: string, ...names: readonly string[]): Promise<void> {
      while (!names.every((name) => received.get(path)?.includes(name) === true)) await turn();
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

test("Q-133, Q-153: spans and metrics reach a collector that speaks gRPC", async () => {
  await using taken = await collector();
  await using hello = await program((_, response) => response.end());
  const { endpoint } = taken;
  await using sidecar = await SidecarProcess.start({
    USER_PORT: String(hello.port),
    REVISION_TIMEOUT_SECONDS: "2",
    OBSERVABILITY_CONFIG: JSON.stringify({
      tracing: { protocol: "grpc", endpoint, samplingRate: 1 },
      requestMetrics: { protocol: "grpc", endpoint, exportInterval: 50_000_000 },
    }),
  });
  expect((await call(sidecar.at(8012))).status).toBe(200);
  await taken.has(METRICS, "kn.serving.invocation.duration", "http.server.request.duration", "hello-00001");
  sidecar.signal("SIGTERM"); // what is left is sent at the end
  await taken.has(TRACES, "kn.queueproxy.proxy", "HTTP GET", "kn.route.tag", "hello-00001");
  expect(await sidecar.exited).toBe(0);
  expect(sidecar.stderr).not.toContain("failed to export");
});

test("Q-153, Q-155: on stdout every span is written, whatever the rate says", async () => {
  await using hello = await program((_, response) => response.end());
  await using sidecar = await SidecarProcess.start({
    USER_PORT: String(hello.port),
    REVISION_TIMEOUT_SECONDS: "2",
    OBSERVABILITY_CONFIG: JSON.stringify({ tracing: { protocol: "stdout", samplingRate: 0 } }),
  });
  await call(sidecar.at(8012));
  sidecar.signal("SIGTERM");
  expect(await sidecar.exited).toBe(0);
  for (const name of ["kn.queueproxy.proxy", "HTTP GET", "kn.route.tag"])
    expect(sidecar.stdout).toContain(name);
});

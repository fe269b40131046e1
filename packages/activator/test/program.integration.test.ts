import { createServer, get } from "node:http";
import {
  ConfigMapKind,
  decodeStatMessages,
  endpoint,
  InProcessKubeClient,
  ObjectStore,
  RealClock,
  RealRandom,
  RevisionKind,
  revisionKey,
  silentLogger,
} from "@rouse/shared";
import { expect, test } from "vitest";
import { WebSocketServer } from "ws";
import type { Config } from "../src/config.ts";
import { Program } from "../src/program.ts";
import { turn } from "./world.ts";

async function setUp() {
  const autoscaler = createServer();
  const sockets = new WebSocketServer({ server: autoscaler });
  const frames: Buffer[] = [];
  sockets.on("connection", (socket) => socket.on("message", (data: Buffer) => frames.push(data)));
  await new Promise<void>((resolve) => autoscaler.listen(0, "127.0.0.1", resolve));
  const address = autoscaler.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const clock = new RealClock();
  const random = new RealRandom();
  const store = new ObjectStore({ wall: () => clock.wall(), random });
  const client = new InProcessKubeClient({ store, clock });
  await client.create(RevisionKind, {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: { namespace: "default", name: "hello-1" },
    spec: { containers: [{ name: "user-container" }] },
  });
  for (const name of ["config-network", "config-logging", "config-observability"]) {
    const metadata = { namespace: "knative-serving", name };
    const data = { "metrics-protocol": "prometheus" };
    await client.create(ConfigMapKind, { apiVersion: "v1", kind: "ConfigMap", metadata, data });
  }
  const config: Config = {
    podName: "activator-1",
    podIp: "127.0.0.1",
    systemNamespace: "knative-serving",
    configMaps: { logging: "config-logging", observability: "config-observability" },
    clusterDomain: "cluster.local",
    idleConnectionsMax: 100,
    probing: { timeoutMs: 300, periodMs: 200 },
    metrics: { ip: "127.0.0.1", port: 0, tls: undefined },
    autoscalerUrl: `ws://127.0.0.1:${port}`,
    listenIp: "127.0.0.1",
    ports: { http: 0, h2c: 0, https: 0, podHttps: 0 },
    tls: {},
    hasOldNames: false,
    hasPodAddresses: false,
    leavingMs: 0,
    revisionOrigin: "revisions",
    endpointsSource: { kind: "endpoints" },
    watchesPods: false,
  };
  const written: string[] = [];
  const program = await Program.start(
    {
      client,
      clock,
      random,
      log: silentLogger,
      environment: {},
      configureLog: () => {},
      writeRequest: (line) => written.push(line),
      loadTelemetry: () => Promise.reject(new Error("nobody asked for it")),
    },
    config,
  );
  const close = async () => {
    for (const socket of sockets.clients) socket.terminate();
    await new Promise<void>((resolve) => autoscaler.close(() => resolve()));
  };
  return { client, program, frames, written, [Symbol.asyncDispose]: close };
}

function call(
  port: number,
  headers: Record<string, string>,
  path = "/",
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (part: Buffer) => (body += part.toString("latin1")));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    }).on("error", reject);
  });
}

test("A-26, A-89, A-127: ready once the autoscaler is connected, pokes it, ends when what it held has ended", async () => {
  await using world = await setUp();
  const { program, frames } = world;
  const { port } = program.activator.address;
  const kubelet = { "User-Agent": "kube-probe/1.34" };
  while ((await call(port, kubelet)).status !== 200) await turn();
  const held = call(port, { "Knative-Serving-Revision": "hello-1", "Knative-Serving-Namespace": "default" });
  while (frames.length === 0) await turn();
  expect(decodeStatMessages(frames[0] ?? Buffer.alloc(0))).toMatchObject([
    {
      revision: "default/hello-1",
      stat: { podName: "activator-1", averageConcurrentRequests: 1, requestCount: 1 },
    },
  ]);
  const metricsPort = program.metricsPort ?? 0;
  const metrics = await call(metricsPort, {}, "/metrics");
  expect(metrics.body).toContain(
    'kn_revision_request_queued{k8s_namespace_name="default",kn_revision_name="hello-1",otel_scope_name="knative.dev/serving/pkg/activator"} 1',
  );
  expect(metrics.body).toContain(
    'kn_activator_stats_conn_reachable{peer="autoscaler",otel_scope_name="knative.dev/serving/pkg/activator"} 1',
  );
  expect((await call(metricsPort, {}, "/")).status).toBe(404);
  program.activator.leave();
  expect(await call(port, kubelet)).toEqual({ status: 500, body: "received SIGTERM from kubelet\n" });
  let hasStopped = false;
  const stopped = program.stop().then(() => (hasStopped = true));
  for (let turns = 0; turns < 20; turns++) await turn();
  expect(hasStopped).toBe(false);
  const pod = createServer(({ headers }, response) => response.end(headers["k-network-probe"] ?? "hi"));
  await new Promise<void>((resolve) => pod.listen(0, "127.0.0.1", resolve));
  const at = pod.address();
  const podPort = typeof at === "object" && at !== null ? at.port : 0;
  program.activator.podReady(
    revisionKey({ namespace: "default", name: "hello-1" }),
    endpoint({ ip: "127.0.0.1", port: podPort }),
  );
  expect(await held).toEqual({ status: 200, body: "hi" });
  await stopped;
  pod.closeAllConnections();
  await new Promise<void>((resolve) => pod.close(() => resolve()));
});

test("A-41…A-44: requests are written down as the config map says while it runs, probes are not", async () => {
  await using world = await setUp();
  const { client, program, written } = world;
  const { port } = program.activator.address;
  const named = { "Knative-Serving-Revision": "hello-1", "Knative-Serving-Namespace": "default" };
  const pod = createServer(({ headers }, response) => response.end(headers["k-network-probe"] ?? "hi"));
  await new Promise<void>((resolve) => pod.listen(0, "127.0.0.1", resolve));
  const at = pod.address();
  const podPort = typeof at === "object" && at !== null ? at.port : 0;
  const revision = revisionKey({ namespace: "default", name: "hello-1" });
  program.activator.podReady(revision, endpoint({ ip: "127.0.0.1", port: podPort }));
  expect((await call(port, named)).status).toBe(200);
  expect(written).toEqual([]);
  const metadata = { namespace: "knative-serving", name: "config-observability" };
  const setLog = async (data: Record<string, string>): Promise<void> => {
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata };
    await client.update(ConfigMapKind, { ...map, data: { "logging.enable-request-log": "true", ...data } });
    for (let turns = 0; turns < 5; turns++) await turn();
  };
  await setLog({});
  const trace = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" };
  expect((await call(port, { ...named, ...trace, "User-Agent": "it's me" }, "/a?b")).status).toBe(200);
  expect((await call(port, { "K-Network-Probe": "activator" })).status).toBe(200);
  while (written.length === 0) await turn();
  const line: Record<string, unknown> = JSON.parse(written.splice(0).join(""));
  expect(line).toMatchObject({
    httpRequest: {
      requestMethod: "GET",
      requestUrl: "/a?b",
      status: 200,
      responseSize: "2",
      userAgent: "it's me",
      serverIp: "",
      protocol: "HTTP/1.1",
    },
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  });
  await setLog({
    "logging.request-log-template":
      "{{.Revision.Namespace}}/{{.Revision.Name}} {{.Revision.PodName}}{{.Revision.PodIP}}{{.Response.Code}}",
  });
  await call(port, named);
  while (written.length === 0) await turn();
  expect(written.splice(0)).toEqual(["default/hello-1 200\n"]);
  await setLog({ "logging.request-log-template": "{{.Request.Nothing}}" });
  await call(port, named);
  while (written.length === 0) await turn();
  expect(written.splice(0)[0]).toMatch(/^Invalid request log template: method: GET, response code: 200, /);
  program.activator.leave();
  await program.stop();
  pod.closeAllConnections();
  await new Promise<void>((resolve) => pod.close(() => resolve()));
});

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
    await client.create(ConfigMapKind, { apiVersion: "v1", kind: "ConfigMap", metadata });
  }
  const config: Config = {
    podName: "activator-1",
    podIp: "127.0.0.1",
    systemNamespace: "knative-serving",
    configMaps: { logging: "config-logging", observability: "config-observability" },
    clusterDomain: "cluster.local",
    idleConnectionsMax: 100,
    probing: { timeoutMs: 300, periodMs: 200 },
    metrics: { ip: "127.0.0.1", port: 0 },
    autoscalerUrl: `ws://127.0.0.1:${port}`,
    listenIp: "127.0.0.1",
    ports: { http: 0, h2c: 0 },
    leavingMs: 0,
    revisionOrigin: "revisions",
    watchesPods: false,
  };
  const program = await Program.start({ client, clock, random, log: silentLogger }, config);
  const close = async () => {
    for (const socket of sockets.clients) socket.terminate();
    await new Promise<void>((resolve) => autoscaler.close(() => resolve()));
  };
  return { program, frames, [Symbol.asyncDispose]: close };
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
  const metrics = await call(program.metricsPort, {}, "/metrics");
  expect(metrics.body).toContain(
    'kn_revision_request_queued{k8s_namespace_name="default",kn_revision_name="hello-1"} 1',
  );
  expect(metrics.body).toContain('kn_activator_stats_conn_reachable{peer="autoscaler"} 1');
  expect((await call(program.metricsPort, {}, "/")).status).toBe(404);
  program.activator.leave();
  expect(await call(port, kubelet)).toEqual({ status: 500, body: "received SIGTERM from kubelet\n" });
  let hasStopped = false;
  const stopped = program.stop().then(() => (hasStopped = true));
  for (let turns = 0; turns < 20; turns++) await turn();
  expect(hasStopped).toBe(false);
  const pod = createServer((_, response) => response.end("hi"));
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

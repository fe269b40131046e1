import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, get } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { join, resolve } from "node:path";
import { Activator } from "@rouse/activator";
import {
  type Endpoints,
  EndpointsKind,
  InProcessKubeClient,
  labels,
  ObjectStore,
  RealClock,
  RealRandom,
  RevisionKind,
  silentLogger,
} from "@rouse/shared";
import { SIDECAR_ENVIRONMENT } from "@rouse/shared/testing";
import { beforeAll, expect, onTestFinished, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");
const POD_IP = `127.47.${1 + ((process.pid >> 8) % 250)}.${1 + (process.pid % 250)}`;

beforeAll(() => {
  const built = spawnSync(process.execPath, [join(root, "scripts/build.ts"), "--if-stale", "queue-proxy"]);
  if (built.status !== 0) throw new Error(String(built.stderr));
}, 60_000);

function portOf(server: { address(): ReturnType<ReturnType<typeof createServer>["address"]> }): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A port at which nothing listens yet. */
async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const port = portOf(server);
  await new Promise<void>((done) => server.close(() => done()));
  return port;
}

function sidecar(environment: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn(process.execPath, [join(root, "packages/queue-proxy/dist/main.cjs")], {
    env: {
      ...SIDECAR_ENVIRONMENT,
      CONTAINER_CONCURRENCY: "0",
      SERVING_LOGGING_LEVEL: "debug",
      ...environment,
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  return child;
}

test("design 5: a sidecar tells the activator that its program is ready, and what is held goes out", async () => {
  const [clock, random] = [new RealClock(), new RealRandom()];
  const store = new ObjectStore({ wall: () => clock.wall(), random });
  const client = new InProcessKubeClient({ store, clock });
  await using activator = await Activator.start(
    { client, clock, random, log: silentLogger, stats: { send: () => {} } },
    // It asks no pod by itself before the test is over, and the watch never calls this one ready.
    {
      ...{ ip: "127.0.0.1", port: 0, h2cPort: 0, podName: "activator", podIp: "127.0.0.1" },
      probing: { periodMs: 60_000, timeoutMs: 300 },
    },
  );
  await client.create(RevisionKind, {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: { namespace: "default", name: "hello-00001" },
    spec: { containers: [{ name: "user-container" }], containerConcurrency: 0, timeoutSeconds: 300 },
  });
  const endpoints: Endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      namespace: "default",
      name: "hello-00001-private",
      labels: { [labels.revision]: "hello-00001", [labels.serviceType]: "Private" },
    },
    subsets: [{ notReadyAddresses: [{ ip: POD_IP }], ports: [{ name: "http", port: 8012 }] }],
  };
  await client.create(EndpointsKind, endpoints);
  while (activator.snapshot().length === 0) await new Promise((done) => setImmediate(done));

  const answered = new Promise<string>((done, failed) => {
    const headers = { "Knative-Serving-Revision": "hello-00001", "Knative-Serving-Namespace": "default" };
    get({ host: "127.0.0.1", port: activator.address.port, headers, agent: false }, (response) => {
      response.setEncoding("utf8").on("data", done);
    }).on("error", failed);
  });
  while (activator.snapshot()[0]?.held !== 1) await new Promise((done) => setImmediate(done));

  const userPort = await freePort();
  sidecar({
    USER_PORT: String(userPort),
    SERVING_POD_IP: POD_IP,
    SERVING_READINESS_PROBE: JSON.stringify({ tcpSocket: { port: userPort, host: "127.0.0.1" } }),
    ROUSE_LISTEN_IP: POD_IP,
    ROUSE_READY_LISTENERS: `127.0.0.1:${activator.address.port}`,
  });
  const program = createServer((_, response) => response.end("hello"));
  program.listen(userPort, "127.0.0.1");
  onTestFinished(() => void program.close());
  expect(await answered).toBe("hello");
}, 30_000);

import { createServer, request, type Server } from "node:http";
import { Activator } from "@rouse/activator";
import { QueueProxy } from "@rouse/queue-proxy";
import {
  endpoint,
  InProcessKubeClient,
  ObjectStore,
  RealClock,
  RealRandom,
  type Revision,
  RevisionKind,
  revisionKey,
  silentLogger,
} from "@rouse/shared";
import { expect, test } from "vitest";

const namespace = "default";
const name = "hello-00001";
const WAITING = 20;

/** Lets the event loop go round once. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve) => {
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

function post(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method: "POST",
        agent: false,
        headers: {
          "Knative-Serving-Revision": name,
          "Knative-Serving-Namespace": namespace,
          "Content-Length": 0,
        },
      },
      (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

/** The pod is ready, and its program is not there any more: the API will say so, and has not yet. */
test("requests held for a pod whose program has crashed wait until it is back, and each runs once", async () => {
  const clock = new RealClock();
  const random = new RealRandom();
  const client = new InProcessKubeClient({
    store: new ObjectStore({ wall: () => clock.wall(), random }),
    clock,
  });
  const deps = { client, clock, random, log: silentLogger };
  await client.create<Revision>(RevisionKind, {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: { namespace, name },
    spec: { containers: [{ name: "user-container" }], containerConcurrency: 1 },
  });
  const ran: string[] = [];
  const program = createServer((asked, response) => {
    ran.push(asked.url ?? "");
    response.end();
  });
  const userPort = await listen(program, 0);
  await new Promise<void>((resolve) => program.close(() => resolve())); // it has crashed
  let refused = 0;
  await using queueProxy = await QueueProxy.start(deps, {
    ip: "127.0.0.1",
    port: 0,
    podName: "pod",
    revision: { namespace, name },
    userPort,
    containerConcurrency: 1,
    timeoutMs: 60_000,
    responseStartTimeoutMs: 0,
    idleTimeoutMs: 0,
    onlookers: { outermost: [], waiting: [], admitted: [], failed: () => void refused++ },
  });
  await using activator = await Activator.start(
    { ...deps, stats: { send: () => {} } },
    { ip: "127.0.0.1", port: 0, podName: "activator", podIp: "127.0.0.1" },
  );
  activator.podReady(revisionKey({ namespace, name }), endpoint(queueProxy.address));
  const paths = Array.from({ length: WAITING }, (_, index) => `/${index}`);
  const answers = Promise.all(paths.map((path) => post(activator.address.port, path)));
  while (refused < 4 || activator.snapshot()[0]?.held !== WAITING) await turn();
  await listen(program, userPort);
  expect(await answers).toEqual(paths.map(() => 200));
  expect([...ran].sort()).toEqual([...paths].sort());
  program.closeAllConnections();
  await new Promise<void>((resolve) => program.close(() => resolve()));
});

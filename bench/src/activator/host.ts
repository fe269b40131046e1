/** The activator in a process of its own, told by messages what there is. Loaded by path: benchmarks depend on no program. */
import { readFileSync } from "node:fs";
import {
  type Endpoints,
  EndpointsKind,
  InProcessKubeClient,
  labels,
  ObjectStore,
  RealClock,
  RealRandom,
  type Revision,
  RevisionKind,
  silentLogger,
} from "@rouse/shared";
import type { HostAnswer, HostOrder } from "./messages.ts";

const entry = new URL("../../../packages/activator/src/index.ts", import.meta.url);
const { Activator } = await import(entry.href);
const clock = new RealClock();
const random = new RealRandom();
const store = new ObjectStore({ wall: () => clock.wall(), random });
const client = new InProcessKubeClient({ store, clock });
const activator = await Activator.start(
  { client, clock, random, log: silentLogger, stats: { send: () => {} } },
  { ip: "127.0.0.1", port: 0, podName: "activator", podIp: "127.0.0.1" },
);

const revision = (name: string, containerConcurrency: number): Revision => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Revision",
  metadata: { namespace: "default", name },
  spec: { containers: [{ name: "user-container" }], containerConcurrency, timeoutSeconds: 300 },
});

const endpoints = (name: string, pods: readonly number[]): Endpoints => ({
  apiVersion: "v1",
  kind: "Endpoints",
  metadata: {
    namespace: "default",
    name: `${name}-private`,
    labels: { [labels.revision]: name, [labels.serviceType]: "Private" },
  },
  subsets: pods.map((port) => ({ addresses: [{ ip: "127.0.0.1" }], ports: [{ name: "http", port }] })),
});

async function obey(order: HostOrder): Promise<HostAnswer> {
  switch (order.kind) {
    case "revision":
      await client.create(RevisionKind, revision(order.name, order.containerConcurrency));
      await client.create(EndpointsKind, endpoints(order.name, []));
      break;
    case "revisions":
      for (let index = 0; index < order.count; index++) {
        await client.create(RevisionKind, revision(`idle-${index}`, 10));
        await client.create(EndpointsKind, endpoints(`idle-${index}`, []));
      }
      break;
    case "pods":
      await client.update(EndpointsKind, endpoints(order.name, order.ports));
      break;
    case "look":
      // As the program does when it has come to rest (IdleMemory): any other kind keeps the pages.
      for (let round = 0; round < 3; round++) void globalThis.gc?.({ type: "major", flavor: "last-resort" });
  }
  const snapshot: { held: number; inFlight: number }[] = activator.snapshot();
  return {
    id: order.id,
    port: activator.address.port,
    privateBytes: privateBytes(),
    held: snapshot.reduce((sum, { held }) => sum + held, 0),
    inFlight: snapshot.reduce((sum, { inFlight }) => sum + inFlight, 0),
  };
}

/** Memory no other process shares. */
function privateBytes(): number {
  const text = readFileSync("/proc/self/smaps_rollup", "latin1");
  const kib = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map(([, each]) => Number(each));
  return kib.reduce((sum, each) => sum + each, 0) * 1_024;
}

process.on("message", (order: HostOrder) => {
  void obey(order).then((answer) => process.send?.(answer));
});
process.on("disconnect", () => process.exit());

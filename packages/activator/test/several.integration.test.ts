import {
  type Endpoints,
  EndpointsKind,
  InProcessKubeClient,
  type KubeClient,
  labels,
  ObjectStore,
  RevisionKind,
  revisionKey,
  SeededRandom,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { Activator } from "../src/index.ts";

const NAME = "hello-00001";
const key = revisionKey({ namespace: "default", name: NAME });
const IPS = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];

function endpoints(kind: "Public" | "Private", ips: readonly string[]): Endpoints {
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      namespace: "default",
      name: kind === "Public" ? NAME : `${NAME}-private`,
      labels: { [labels.revision]: NAME, [labels.serviceType]: kind },
    },
    subsets: [{ addresses: ips.map((ip) => ({ ip })), ports: [{ name: "http", port: 8_012 }] }],
  };
}

async function startAll(client: KubeClient, clock: VirtualClock, closing: AsyncDisposableStack) {
  const random = new SeededRandom(1);
  return Promise.all(
    IPS.map(async (podIp) =>
      closing.use(
        await Activator.start(
          { client, clock, random, log: silentLogger, stats: { send: () => {} } },
          { ip: "127.0.0.1", port: 0, podName: podIp, podIp },
        ),
      ),
    ),
  );
}

test("A-12, A-75, A-76, A-120: each has its part of the pods, all of them together every pod once", async () => {
  const clock = new VirtualClock();
  const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) });
  const client = new InProcessKubeClient({ store, clock });
  await using closing = new AsyncDisposableStack();
  await client.create(RevisionKind, {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: { namespace: "default", name: NAME },
    spec: { containers: [{ name: "user-container" }], containerConcurrency: 10 },
  });
  const pods = Array.from({ length: 10 }, (_, index) => `10.1.0.${index}`);
  await client.create(EndpointsKind, endpoints("Private", pods));
  const starting = startAll(client, clock, closing);
  const activators = await settle(clock, starting);
  const capacities = () =>
    activators.map((each) => each.snapshot().find(({ revision }) => revision === key)?.capacity);
  expect(capacities()).toEqual([100, 100, 100]); // nobody is listed: everyone uses all
  await client.create(EndpointsKind, endpoints("Public", IPS));
  clock.advance(1_000);
  expect(capacities()).toEqual([40, 30, 30]);
  await client.update(EndpointsKind, endpoints("Public", IPS.slice(1)));
  clock.advance(1_000);
  expect(capacities()).toEqual([40, 50, 50]); // the first keeps its place for a while: its requests are under way
  clock.advance(31_000);
  expect(capacities()).toEqual([100, 50, 50]);
});

/** Lets virtual time go on until real sockets have done their part. */
async function settle<T>(clock: VirtualClock, pending: Promise<T>): Promise<T> {
  let isDone = false;
  const done = pending.finally(() => (isDone = true));
  while (!isDone) {
    clock.advance(1);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return done;
}

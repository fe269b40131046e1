import {
  defaultElectionConfig,
  EndpointSliceKind,
  InProcessKubeClient,
  type KubeClient,
  KubeError,
  LeaseElections,
  LeaseKind,
  ObjectStore,
  SeededRandom,
  ServiceKind,
  SYSTEM_NAMESPACE,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { publishBucket } from "../src/forward/bucket-service.ts";
import { bucketNames } from "../src/forward/buckets.ts";
import { LeaseHolders } from "../src/forward/lease-holders.ts";

function cluster() {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const store = new ObjectStore({ wall: () => clock.wall(), random });
  const client = new InProcessKubeClient({ store, clock });
  return { clock, random, client };
}

/** A replica that runs for every bucket; while it is cut off nothing it writes arrives. */
function replica(world: ReturnType<typeof cluster>, ip: string) {
  const link = { isCut: false, hangs: false };
  const fail = (): Promise<never> => Promise.reject(new KubeError("ServiceUnavailable", "cut off"));
  const client: KubeClient = {
    ...Object.fromEntries([]),
    get: (kind, ref) =>
      link.hangs ? new Promise(() => {}) : link.isCut ? fail() : world.client.get(kind, ref),
    list: (kind, query) => world.client.list(kind, query),
    watch: (kind, query, sink) => world.client.watch(kind, query, sink),
    create: (kind, object) => (link.isCut ? fail() : world.client.create(kind, object)),
    update: (kind, object) => (link.isCut ? fail() : world.client.update(kind, object)),
    updateStatus: (kind, object) => world.client.updateStatus(kind, object),
    patch: (kind, ref, patch, subresource) => world.client.patch(kind, ref, patch, subresource),
    delete: (kind, ref, options) => world.client.delete(kind, ref, options),
  };
  const history: string[] = [];
  const elections = new LeaseElections(
    {
      client,
      clock: world.clock,
      log: silentLogger,
      onWon: (bucket) => history.push(`won ${bucket}`),
      onLost: (bucket) => history.push(`lost ${bucket}`),
    },
    `pod_${ip}`,
    defaultElectionConfig,
  );
  return { elections, history, link };
}
const [bucket = ""] = bucketNames(1);
const lease = { namespace: SYSTEM_NAMESPACE, name: bucket };

describe("S-130, S-132: Leases", () => {
  test("the first one wins, renews, and gives back at the end; the next one takes over at once", async () => {
    const world = cluster();
    const first = replica(world, "10.0.0.1");
    const second = replica(world, "10.0.0.2");
    first.elections.start([bucket]);
    await world.clock.settle();
    second.elections.start([bucket]);
    await world.clock.advanceAsync(200_000);
    expect([first.elections.holds(bucket), second.elections.holds(bucket)]).toEqual([true, false]);
    expect((await world.client.get(LeaseKind, lease)).spec).toMatchObject({
      holderIdentity: "pod_10.0.0.1",
      leaseDurationSeconds: 60,
      leaseTransitions: 0,
    });
    await first.elections.close();
    await world.clock.advanceAsync(10_000);
    expect(second.history).toEqual([`won ${bucket}`]);
    expect((await world.client.get(LeaseKind, lease)).spec.leaseTransitions).toBe(1);
    await second.elections.close();
    expect(world.clock.pendingTimers).toBe(0);
  });

  test("one that is cut off gives up before another may take over", async () => {
    const world = cluster();
    const first = replica(world, "10.0.0.1");
    const second = replica(world, "10.0.0.2");
    first.elections.start([bucket]);
    await world.clock.settle();
    second.elections.start([bucket]);
    await world.clock.advanceAsync(30_000);
    first.link.isCut = true;
    for (let seconds = 0; seconds < 120; seconds++) {
      await world.clock.advanceAsync(1_000);
      expect([first, second].filter(({ elections }) => elections.holds(bucket)).length).toBeLessThanOrEqual(
        1,
      );
    }
    expect(first.history).toEqual([`won ${bucket}`, `lost ${bucket}`]);
    expect(second.history).toEqual([`won ${bucket}`]);
    first.link.isCut = false;
    await world.clock.advanceAsync(100_000);
    expect(first.elections.holds(bucket)).toBe(false);
    await first.elections.close();
    await second.elections.close();
  });

  test("one whose calls hang gives up before another may take over, and may have it again", async () => {
    const world = cluster();
    const first = replica(world, "10.0.0.1");
    const second = replica(world, "10.0.0.2");
    first.elections.start([bucket]);
    await world.clock.settle();
    second.elections.start([bucket]);
    await world.clock.advanceAsync(35_000);
    first.link.hangs = true;
    for (let seconds = 0; seconds < 120; seconds++) {
      await world.clock.advanceAsync(1_000);
      const holders = [first, second].filter(({ elections }) => elections.holds(bucket));
      expect(holders.length).toBeLessThanOrEqual(1);
    }
    expect(first.history).toEqual([`won ${bucket}`, `lost ${bucket}`]);
    expect(second.history).toEqual([`won ${bucket}`]);
    first.link.hangs = false;
    await first.elections.close();
    await second.elections.close();
    expect(world.clock.pendingTimers).toBe(0);
  });

  test("buckets are shared out one by one", async () => {
    const world = cluster();
    const names = bucketNames(3);
    const only = replica(world, "10.0.0.1");
    only.elections.start(names);
    await world.clock.settle();
    expect(names.every((name) => only.elections.holds(name))).toBe(true);
    await only.elections.close();
  });
});

test("S-135, S-137: who holds a bucket is what its Lease says", async () => {
  const world = cluster();
  const changed: string[] = [];
  using holders = new LeaseHolders(world, {
    ownIp: "10.0.0.2",
    port: 8080,
    clusterDomain: "cluster.local",
    buckets: [bucket],
    onChange: (name) => changed.push(name),
  });
  await holders.start();
  expect(holders.holder(bucket)).toBeUndefined();
  const first = replica(world, "10.0.0.1");
  first.elections.start([bucket]);
  await world.clock.settle();
  expect(holders.holder(bucket)).toEqual({
    kind: "remote",
    urls: ["ws://10.0.0.1:8080", `ws://${bucket}.knative-serving.svc.cluster.local:8080`],
  });
  await world.clock.advanceAsync(50_000);
  expect(changed).toEqual([bucket]); // renewals are no change
  await first.elections.close();
  const second = replica(world, "10.0.0.2");
  second.elections.start([bucket]);
  await world.clock.settle();
  expect(holders.holder(bucket)).toEqual({ kind: "local" });
  await second.elections.close();
});

describe("S-136: a bucket held can be reached by its name", () => {
  test("by a Service without selector and a slice with the one address", async () => {
    const { client, clock } = cluster();
    await publishBucket({ client, clock }, bucket, { ip: "10.0.0.1", port: 8080 });
    const service = await client.get(ServiceKind, lease);
    expect(service.spec.selector).toBeUndefined();
    expect(service.spec.ports).toMatchObject([{ name: "http", port: 8080, targetPort: 8080 }]);
    expect(await client.get(EndpointSliceKind, lease)).toMatchObject({
      metadata: { labels: { "kubernetes.io/service-name": bucket } },
      addressType: "IPv4",
      endpoints: [
        { addresses: ["10.0.0.1"], conditions: { ready: true, serving: true, terminating: false } },
      ],
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    });
    await publishBucket({ client, clock }, bucket, { ip: "fd00::1", port: 8080 });
    expect(await client.get(EndpointSliceKind, lease)).toMatchObject({
      addressType: "IPv6",
      endpoints: [{ addresses: ["fd00::1"] }],
    });
  });

  test("is tried for three seconds, then it is an error", async () => {
    const { client, clock } = cluster();
    let tries = 0;
    const refusing: KubeClient = {
      get: (kind, ref) => client.get(kind, ref),
      list: (kind, query) => client.list(kind, query),
      watch: (kind, query, sink) => client.watch(kind, query, sink),
      create: () => {
        tries++;
        return Promise.reject(new KubeError("Forbidden", "no"));
      },
      update: (kind, object) => client.update(kind, object),
      updateStatus: (kind, object) => client.updateStatus(kind, object),
      patch: (kind, ref, patch) => client.patch(kind, ref, patch),
      delete: (kind, ref) => client.delete(kind, ref),
    };
    const publishing = expect(
      publishBucket({ client: refusing, clock }, bucket, { ip: "10.0.0.1", port: 8080 }),
    ).rejects.toThrow("no");
    await clock.advanceAsync(3_000);
    await publishing;
    expect(tries).toBe(30);
  });
});

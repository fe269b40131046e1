import {
  apiVersion,
  ConfigMapKind,
  MetricKind,
  ServerlessServiceKind,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { World } from "./world.ts";

const NAME = "hello-00001";

describe("after a restart of the autoscaler (K-68, S-141)", () => {
  test("the first request to a sleeping revision does not wait for a tick", async () => {
    await using world = await World.start();
    const revision = await world.addRevision(NAME);
    await world.idle(100);
    expect(world.replicas(NAME)).toBe(0);
    await world.stopAutoscaler();
    await world.startAutoscaler();
    expect(world.autoscaler.explain(revision)?.decider.desiredPods).toBeUndefined();
    world.report(revision, 1);
    await world.clock.settle();
    expect(world.replicas(NAME)).toBe(1);
  });

  test("nothing shrinks for one stable window (S-76)", async () => {
    await using world = await World.start();
    const revision = await world.addRevision(NAME, { containerConcurrency: 10 });
    await world.load(revision, 70, 90);
    expect(world.replicas(NAME)).toBe(10);
    await world.stopAutoscaler();
    await world.startAutoscaler();
    expect(world.autoscalerOf(NAME).status?.desiredScale).toBe(10);
    await world.idle(58);
    expect(world.replicas(NAME)).toBe(10);
    await world.idle(60);
    expect(world.replicas(NAME)).toBe(0);
  });

  test("every timer is gone once it is closed", async () => {
    const world = await World.start({ podStartMs: 0 });
    const revision = await world.addRevision(NAME);
    await world.load(revision, 300, 5);
    world.isActivatorAnswering = () => Promise.resolve(false);
    await world.idle(80);
    await world[Symbol.asyncDispose]();
    await world.clock.advanceAsync(10_000);
    expect(world.clock.pendingTimers).toBe(0);
    world.autoscalerOf(NAME);
  });
});

describe("configuration while running (S-5, S-6)", () => {
  test("a change reaches every revision, a bad one changes nothing", async () => {
    await using world = await World.start();
    await world.addRevision(NAME);
    await world.idle(5);
    await world.configure({ "min-scale": "3" });
    expect(world.replicas(NAME)).toBe(3);
    await world.configure({ "min-scale": "5", "stable-window": "soon" });
    expect(world.replicas(NAME)).toBe(3);
    await world.configure({ "min-scale": "4", "target-burst-capacity": "-1" });
    expect(world.replicas(NAME)).toBe(4);
  });

  test("config-deployment as well: a shorter progress deadline counts at once (S-6, S-15)", async () => {
    await using world = await World.start({ podStartMs: 10_000_000 });
    await world.addRevision(NAME);
    await world.idle(70);
    expect(world.replicas(NAME)).toBe(1);
    await world.client.create(ConfigMapKind, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: SYSTEM_NAMESPACE, name: "config-deployment" },
      data: { "progress-deadline": "30s" },
    });
    await world.clock.settle();
    expect(world.replicas(NAME)).toBe(0);
    expect(world.condition(NAME, "Active")).toBe("False TimedOut");
  });

  test("a bad one at start is fatal and says every problem (S-5)", async () => {
    const config = { "stable-window": "soon", "max-scale": "-1x" };
    await expect(World.start({ config })).rejects.toThrow(
      /stable-window.*max-scale|max-scale.*stable-window/,
    );
  });
});

describe("objects of a revision (K-12, K-13, S-3, S-23, S-65)", () => {
  test("are made after the PodAutoscaler, and only their spec is repaired", async () => {
    await using world = await World.start();
    const annotations = { "autoscaling.knative.dev/metric": "rps", note: "n" };
    await world.addRevision(NAME, { annotations });
    await world.idle(3);
    const { metadata, spec } = world.sks(NAME);
    expect(metadata.annotations).toEqual({ note: "n" });
    expect(metadata.labels).toEqual(world.autoscalerOf(NAME).metadata.labels);
    expect(metadata.ownerReferences).toEqual([
      expect.objectContaining({ kind: "PodAutoscaler", name: NAME, controller: true }),
    ]);
    expect(spec.objectRef).toEqual(world.autoscalerOf(NAME).spec.scaleTargetRef);
    const ref = { namespace: "default", name: NAME };
    const metric = await world.client.get(MetricKind, ref);
    expect(metric.metadata.annotations).toEqual(annotations);
    expect(metric.spec).toEqual({
      stableWindow: 60e9,
      panicWindow: 6e9,
      scrapeTarget: `${NAME}-private`,
    });
    expect(metric.status?.conditions).toMatchObject([{ type: "Ready", status: "True" }]);
    await world.client.update(MetricKind, { ...metric, spec: { ...metric.spec, stableWindow: 7e9 } });
    await world.clock.settle();
    expect((await world.client.get(MetricKind, ref)).spec.stableWindow).toBe(60e9);
  });

  test("of somebody else stop everything and are left alone (S-68, K-13)", async () => {
    await using world = await World.start();
    await world.client.create(ServerlessServiceKind, {
      apiVersion: apiVersion(ServerlessServiceKind),
      kind: "ServerlessService",
      metadata: { namespace: "default", name: NAME },
      spec: {
        mode: "Serve",
        objectRef: { apiVersion: "apps/v1", kind: "Deployment", name: "x" },
        protocolType: "http1",
      },
    });
    await world.addRevision(NAME, { replicas: 2 });
    await world.idle(5);
    expect(world.condition(NAME, "Active")).toBe("False NotOwned");
    expect(world.condition(NAME, "Ready")).toBe("False NotOwned");
    expect(world.mode(NAME)).toBe("Serve");
    expect(world.scalePatches).toEqual([]);
  });

  test("of a ServerlessService's drift the spec is repaired, the metadata is not (K-13)", async () => {
    await using world = await World.start();
    await world.addRevision(NAME);
    await world.idle(3);
    const sks = world.sks(NAME);
    await world.client.update(ServerlessServiceKind, {
      ...sks,
      metadata: { ...sks.metadata, labels: { mine: "yes" } },
      spec: { ...sks.spec, numActivators: 99 },
    });
    await world.clock.settle();
    expect(world.sks(NAME).spec).toEqual(sks.spec);
    expect(world.sks(NAME).metadata.labels).toEqual({ mine: "yes" });
  });

  test("somebody else's Metric stops it before anything is scaled (S-68)", async () => {
    await using world = await World.start();
    const ref = { namespace: "default", name: NAME };
    await world.client.create(MetricKind, {
      apiVersion: apiVersion(MetricKind),
      kind: "Metric",
      metadata: ref,
      spec: { stableWindow: 60e9, panicWindow: 6e9, scrapeTarget: "other" },
    });
    await world.addRevision(NAME, { annotations: { "autoscaling.knative.dev/min-scale": "3" } });
    await world.idle(5);
    expect(world.condition(NAME, "Active")).toBe("False NotOwned");
    expect((await world.client.get(MetricKind, ref)).spec.scrapeTarget).toBe("other");
    expect(world.scalePatches).toEqual([]);
  });

  test("an autoscaler of another class is left alone (S-19)", async () => {
    await using world = await World.start();
    const annotations = { "autoscaling.knative.dev/class": "scaler.example.com" };
    const revision = await world.addRevision(NAME, { annotations });
    await world.idle(5);
    expect(world.autoscalerOf(NAME).status).toBeUndefined();
    expect(world.autoscaler.explain(revision)).toBeUndefined();
    expect(world.writes).toBe(0);
  });
});

describe("scraping", () => {
  test("pods that do not answer show on the Metric, and nothing is taken for nothing (S-48, S-67)", async () => {
    await using world = await World.start();
    const revision = await world.addRevision(NAME, {
      replicas: 2,
      annotations: { "autoscaling.knative.dev/min-scale": "2" },
    });
    world.directLoad = 500;
    await world.idle(10);
    const pods = world.replicas(NAME);
    expect(pods).toBeGreaterThan(2);
    for (let pod = 1; pod <= pods; pod++) if (pod % 2 === 0) world.silentPods.add(`${NAME}-${pod}`);
    await world.idle(5);
    const metric = await world.client.get(MetricKind, { namespace: "default", name: NAME });
    expect(metric.status?.conditions).toMatchObject([{ status: "False", reason: "CollectionFailed" }]);
    await world.idle(200);
    expect(world.replicas(NAME)).toBeGreaterThanOrEqual(pods); // no data, no change
    expect(world.autoscaler.explain(revision)?.ticks.at(-1)?.kind).toBe("no-data");
    world.silentPods.clear();
    world.directLoad = 0;
    await world.idle(20);
    expect(
      (await world.client.get(MetricKind, { namespace: "default", name: NAME })).status?.conditions,
    ).toMatchObject([{ status: "True" }]);
  });

  test("is done once a second while there are pods, and not at all at zero (S-41)", async () => {
    await using world = await World.start();
    await world.addRevision(NAME);
    await world.idle(3);
    const before = world.scrapes;
    await world.idle(10);
    expect(world.scrapes - before).toBe(10);
    await world.idle(120);
    expect(world.replicas(NAME)).toBe(0);
    const asleep = world.scrapes;
    await world.idle(30);
    expect(world.scrapes).toBe(asleep);
  });
});

test("idle revisions cost neither timers nor work", async () => {
  const COUNT = 500;
  await using world = await World.start({ config: { "allow-zero-initial-scale": "true" } });
  const annotations = { "autoscaling.knative.dev/initial-scale": "0" };
  for (let index = 0; index < COUNT; index++)
    await world.addRevision(`idle-${index}`, { annotations, replicas: 0 });
  await world.idle(3);
  expect(world.autoscaler.awakeRevisions).toBe(0);
  expect(world.clock.pendingTimers).toBe(1); // the resync, once in ten hours
  const { writes } = world;
  await world.idle(30);
  expect(world.writes).toBe(writes);
});

import {
  findCondition,
  KubeError,
  labels,
  MetricKind,
  PodAutoscalerKind,
  PodKind,
  ServerlessServiceKind,
} from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { World } from "./world.ts";

const NAME = "hello-00001";
const ref = { namespace: "default", name: NAME };
const prefix = "autoscaling.knative.dev/";

describe("before there is a private Service (S-91, K-53)", () => {
  test("activators are put in the path, and nothing else is done", async () => {
    await using world = await World.start({ podStartMs: 60_000 });
    world.isServing = false;
    const revision = await world.addRevision(NAME);
    await world.idle(5);
    expect(world.sks(NAME).spec).toMatchObject({ mode: "Proxy", numActivators: 2 });
    expect(world.condition(NAME, "SKSReady")).toBe("Unknown NotReady");
    expect(world.condition(NAME, "Active")).toBe("Unknown Queued");
    expect(world.autoscaler.explain(revision)).toBeUndefined();
    expect(world.scalePatches).toEqual([]);
    await expect(world.client.get(MetricKind, ref)).rejects.toMatchObject({ reason: "NotFound" });
  });

  test("a ServerlessService somebody has turned to Serve is turned back", async () => {
    await using world = await World.start();
    world.isServing = false;
    await world.addRevision(NAME);
    const sks = world.sks(NAME);
    const spec = { ...sks.spec, mode: "Serve", numActivators: 9 } as const;
    await world.client.update(ServerlessServiceKind, { ...sks, spec });
    await world.idle(1);
    expect(world.sks(NAME).spec).toMatchObject({ mode: "Proxy", numActivators: 2 });
  });
});

test("the PodAutoscaler names both Services and the pods there are and ought to be (K-57, S-109)", async () => {
  await using world = await World.start();
  const revision = await world.addRevision(NAME, { containerConcurrency: 10 });
  await world.load(revision, 20, 10);
  expect(world.autoscalerOf(NAME).status).toMatchObject({
    serviceName: NAME,
    metricsServiceName: `${NAME}-private`,
    desiredScale: 3,
    actualScale: 3,
  });
});

test("a ServerlessService that has not caught up is not ready, which leaves the revision active (S-92, K-50, W-20)", async () => {
  await using world = await World.start();
  const revision = await world.addRevision(NAME, { containerConcurrency: 10 });
  await world.load(revision, 20, 10);
  expect(world.condition(NAME, "SKSReady")).toBe("True");
  world.isServing = false;
  await world.load(revision, 100, 20);
  expect(world.sks(NAME).metadata.generation).toBeGreaterThan(
    world.sks(NAME).status?.observedGeneration ?? 0,
  );
  expect(world.condition(NAME, "Active")).toBe("True");
  expect(world.condition(NAME, "ScaleTargetInitialized")).toBe("True");
  expect(world.condition(NAME, "SKSReady")).toBe("Unknown NotReady");
  expect(world.condition(NAME, "Ready")).toBe("Unknown NotReady");
});

test("without its labels there is no decider, and the new generation is observed all the same (S-78, S-22)", async () => {
  await using world = await World.start();
  await world.addRevision(NAME);
  await world.idle(3);
  const autoscaler = world.autoscalerOf(NAME);
  await world.client.update(PodAutoscalerKind, {
    ...autoscaler,
    metadata: { ...autoscaler.metadata, labels: { [labels.revision]: NAME } },
    spec: { ...autoscaler.spec, containerConcurrency: 7 },
  });
  await world.clock.settle();
  const { status, metadata } = world.autoscalerOf(NAME);
  expect(status?.observedGeneration).toBe(metadata.generation);
  expect(findCondition(status?.conditions, "Ready")).toMatchObject({
    status: "Unknown",
    reason: "NewObservedGenFailure",
  });
});

test("a scale that is refused is asked for again, until it is granted (S-98)", async () => {
  await using world = await World.start();
  await world.addRevision(NAME, { annotations: { [`${prefix}min-scale`]: "1" } });
  await world.idle(3);
  world.refuse = ({ kind }) => (kind === "Deployment" ? new KubeError("Forbidden", "no") : undefined);
  const { metadata, ...rest } = world.autoscalerOf(NAME);
  const annotations = { ...metadata.annotations, [`${prefix}min-scale`]: "4" };
  await world.client.update(PodAutoscalerKind, { ...rest, metadata: { ...metadata, annotations } });
  await world.clock.settle();
  expect(world.replicas(NAME)).toBe(1);
  world.refuse = () => undefined;
  await world.clock.advanceAsync(500); // nothing has changed: only the pass that failed comes again
  expect(world.replicas(NAME)).toBe(4);
});

test("with unlimited burst there is nothing to scrape (S-66)", async () => {
  await using world = await World.start();
  await world.addRevision(NAME, { annotations: { [`${prefix}target-burst-capacity`]: "-1" } });
  await world.idle(3);
  expect((await world.client.get(MetricKind, ref)).spec.scrapeTarget).toBe("");
});

test("a decider goes by annotations first; only Unreachable is not reachable (S-72, S-74)", async () => {
  await using world = await World.start({ config: { "scale-down-delay": "30s", "max-scale-up-rate": "7" } });
  const annotations = {
    [`${prefix}panic-threshold-percentage`]: "150",
    [`${prefix}target-burst-capacity`]: "12",
    [`${prefix}window`]: "90s",
    [`${prefix}activation-scale`]: "3",
  };
  const one = await world.addRevision(NAME, { annotations, reachability: "" });
  const other = await world.addRevision("other-00001", { reachability: "Unreachable" });
  await world.idle(3);
  expect(world.autoscaler.explain(one)?.decider.spec).toMatchObject({
    panicThreshold: 1.5,
    targetBurstCapacity: 12,
    stableWindowMs: 90_000,
    activationScale: 3,
    scaleDownDelayMs: 30_000,
    maxScaleUpRate: 7,
    isReachable: true,
  });
  expect(world.autoscaler.explain(other)?.decider.spec.isReachable).toBe(false);
});

describe("what brings a pass (K-58)", () => {
  test("a PodAutoscaler: a raised minimum is met at once, served directly where nothing is kept for bursts (W-19)", async () => {
    await using world = await World.start();
    await world.addRevision(NAME, { annotations: { [`${prefix}target-burst-capacity`]: "0" } });
    await world.idle(110);
    expect(world.replicas(NAME)).toBe(0);
    const { metadata, ...rest } = world.autoscalerOf(NAME);
    const annotations = { ...metadata.annotations, [`${prefix}min-scale`]: "11" };
    await world.client.update(PodAutoscalerKind, { ...rest, metadata: { ...metadata, annotations } });
    await world.clock.settle();
    expect(world.replicas(NAME)).toBe(11);
    expect(world.mode(NAME)).toBe("Serve");
    expect(world.condition(NAME, "Active")).toBe("Unknown Queued");
  });

  test("nothing known after a restart: an inactive one stays inactive, in Proxy (W-19, K-68)", async () => {
    await using world = await World.start();
    await world.addRevision(NAME);
    await world.idle(100);
    await world.stopAutoscaler();
    const patches = world.scalePatches.length;
    await world.startAutoscaler();
    await world.idle(30);
    expect(world.condition(NAME, "Active")).toBe("False NoTraffic");
    expect(world.mode(NAME)).toBe("Proxy");
    expect(world.scalePatches.length).toBe(patches);
  });

  test("pods: when those of an active revision vanish it is queued until they are back (K-67)", async () => {
    await using world = await World.start();
    const revision = await world.addRevision(NAME, { containerConcurrency: 10 });
    await world.load(revision, 20, 20);
    expect(world.condition(NAME, "Active")).toBe("True");
    const { items } = await world.client.list(PodKind, { namespace: "default" });
    for (const { metadata } of items) {
      await world.client.delete(PodKind, metadata, { gracePeriodSeconds: 0 });
    }
    await world.clock.settle();
    expect(world.condition(NAME, "Active")).toBe("Unknown Queued");
    expect(world.autoscalerOf(NAME).status?.actualScale).toBe(0);
  });
});

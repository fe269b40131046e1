import {
  apiVersion,
  HorizontalPodAutoscalerKind,
  KubeError,
  type ObjectKey,
  silentLogger,
} from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { HpaEvaluator, type Usage } from "../src/index.ts";
import { World } from "./world.ts";

const NAME = "hello-00001";
const ref = { namespace: "default", name: NAME };
const ofClass = (annotations: Readonly<Record<string, string>> = {}) => ({
  annotations: { "autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev", ...annotations },
});
const memory = ofClass({
  "autoscaling.knative.dev/metric": "memory",
  "autoscaling.knative.dev/target": "100",
  "autoscaling.knative.dev/max-scale": "6",
  "autoscaling.knative.dev/window": "60s",
});
const MIB = 1_048_576;

describe("S-124: a revision of the HPA class", () => {
  test("is served whatever comes, is active, and has neither decider nor zero (K-56)", async () => {
    await using world = await World.start();
    const revision = await world.addRevision(NAME, ofClass());
    await world.idle(200);
    expect(world.sks(NAME).spec).toMatchObject({ mode: "Serve", numActivators: 0 });
    expect(world.condition(NAME, "Active")).toBe("True");
    expect(world.condition(NAME, "SKSReady")).toBe("True");
    expect(world.autoscaler.explain(revision)).toBeUndefined();
    expect(world.replicas(NAME)).toBe(1);
    expect(world.scalePatches).toEqual([]);
    expect(world.autoscalerOf(NAME).status).toMatchObject({
      serviceName: NAME,
      metricsServiceName: `${NAME}-private`,
    });
  });

  test("reports what its HPA does, and is initialised once enough pods run", async () => {
    await using world = await World.start();
    await world.addRevision(NAME, ofClass({ "autoscaling.knative.dev/min-scale": "3" }));
    await world.idle(2);
    expect(world.condition(NAME, "ScaleTargetInitialized")).toBe("Unknown");
    const hpa = await world.client.get(HorizontalPodAutoscalerKind, ref);
    await world.client.updateStatus(HorizontalPodAutoscalerKind, {
      ...hpa,
      status: { currentReplicas: 3, desiredReplicas: 4 },
    });
    await world.idle(2);
    expect(world.autoscalerOf(NAME).status).toMatchObject({ actualScale: 3, desiredScale: 4 });
    expect(world.condition(NAME, "ScaleTargetInitialized")).toBe("True");
    expect(world.condition(NAME, "Ready")).toBe("True");
  });

  test("has its HPA repaired, but for what the API filled in", async () => {
    await using world = await World.start();
    await world.addRevision(NAME, memory);
    await world.idle(2);
    const hpa = await world.client.get(HorizontalPodAutoscalerKind, ref);
    const behavior = {
      scaleUp: { stabilizationWindowSeconds: 60, policies: [] },
      scaleDown: { stabilizationWindowSeconds: 60, policies: [] },
    };
    await world.client.update(HorizontalPodAutoscalerKind, { ...hpa, spec: { ...hpa.spec, behavior } });
    const { writes } = world;
    await world.idle(5);
    expect(world.writes).toBe(writes);
    const drifted = await world.client.get(HorizontalPodAutoscalerKind, ref);
    await world.client.update(HorizontalPodAutoscalerKind, {
      ...drifted,
      spec: { ...drifted.spec, maxReplicas: 99 },
    });
    await world.idle(2);
    expect((await world.client.get(HorizontalPodAutoscalerKind, ref)).spec.maxReplicas).toBe(6);
  });

  test("somebody else's HPA of its name is left alone: NotOwned", async () => {
    await using world = await World.start();
    await world.client.create(HorizontalPodAutoscalerKind, {
      apiVersion: apiVersion(HorizontalPodAutoscalerKind),
      kind: "HorizontalPodAutoscaler",
      metadata: ref,
      spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "x" }, maxReplicas: 1 },
    });
    await world.addRevision(NAME, ofClass());
    await world.idle(2);
    expect(world.condition(NAME, "Active")).toBe("False NotOwned");
    expect((await world.client.get(HorizontalPodAutoscalerKind, ref)).spec.maxReplicas).toBe(1);
  });

  test("an HPA that cannot be made: FailedCreate", async () => {
    await using world = await World.start();
    world.refuse = ({ kind }) =>
      kind === "HorizontalPodAutoscaler" ? new KubeError("Forbidden", "no") : undefined;
    await world.addRevision(NAME, ofClass());
    await world.idle(2);
    expect(world.condition(NAME, "Active")).toBe("False FailedCreate");
  });
});

test("in the embedded home memory of the processes scales it, by the HPA's formula", async () => {
  await using world = await World.start();
  const each = { memoryBytes: 250 * MIB, cpuMilli: 0 };
  const usage = (pods: readonly ObjectKey[]): ReadonlyMap<ObjectKey, Usage> =>
    new Map(pods.map((pod) => [pod, { ...each }]));
  await using _ = await HpaEvaluator.start({ ...world, log: silentLogger, usage: { usage } });
  await world.addRevision(NAME, memory);
  await world.idle(14);
  expect(world.replicas(NAME)).toBe(1);
  await world.idle(64); // a window of 60 s also holds back the scale-up
  expect(world.replicas(NAME)).toBe(3);
  each.memoryBytes = 99 * MIB;
  await world.idle(90);
  expect(world.replicas(NAME)).toBe(3); // within the tolerance
  each.memoryBytes = 30 * MIB;
  await world.idle(45);
  expect(world.replicas(NAME)).toBe(3);
  await world.idle(45);
  expect(world.replicas(NAME)).toBe(1);
  expect((await world.client.get(HorizontalPodAutoscalerKind, ref)).status).toMatchObject({
    desiredReplicas: 1,
    currentMetrics: [{ type: "Resource", resource: { name: "memory", current: { averageValue: "30Mi" } } }],
    conditions: expect.arrayContaining([expect.objectContaining({ type: "ScalingActive", status: "True" })]),
  });
});

test("cpu as a share of what nobody asked for cannot be told, and it says so", async () => {
  await using world = await World.start();
  const usage = (pods: readonly ObjectKey[]): ReadonlyMap<ObjectKey, Usage> =>
    new Map(pods.map((pod) => [pod, { cpuMilli: 900, memoryBytes: 0 }]));
  await using _ = await HpaEvaluator.start({ ...world, log: silentLogger, usage: { usage } });
  await world.addRevision(NAME, ofClass({ "autoscaling.knative.dev/target": "50" }));
  await world.idle(40);
  expect(world.replicas(NAME)).toBe(1);
  expect((await world.client.get(HorizontalPodAutoscalerKind, ref)).status?.conditions).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ type: "ScalingActive", status: "False", reason: "FailedGetResourceMetric" }),
    ]),
  );
});

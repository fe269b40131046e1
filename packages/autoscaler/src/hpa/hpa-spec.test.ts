import type { PodAutoscaler, Stored } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { scaleBounds } from "../apply/bounds.ts";
import { defaultAutoscalerConfig } from "../config/autoscaler-config.ts";
import { revisionSettings } from "../config/revision-settings.ts";
import { hpaSpec, isPartOf, makeHpa } from "./hpa-spec.ts";

const prefix = "autoscaling.knative.dev/";
function autoscaler(annotations: Readonly<Record<string, string>>): Stored<PodAutoscaler> {
  return {
    apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
    kind: "PodAutoscaler",
    metadata: {
      namespace: "default",
      name: "hello-00001",
      uid: "u-1",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { "serving.knative.dev/revision": "hello-00001" },
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([key, value]) => [prefix + key, value]),
      ),
    },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello-00001-deployment" },
      protocolType: "http1",
    },
  };
}
function spec(annotations: Readonly<Record<string, string>>) {
  const of = autoscaler(annotations);
  const settings = revisionSettings(of, defaultAutoscalerConfig, { progressDeadlineMs: 600_000 });
  return hpaSpec(of, settings, scaleBounds(settings, true));
}

describe("V-47, S-122: what an HPA aims at", () => {
  test.each([
    { metric: "cpu", target: "1982.4", want: { type: "Utilization", averageUtilization: 1983 } },
    { metric: "memory", target: "50", want: { type: "AverageValue", averageValue: "50Mi" } },
    { metric: "memory", target: "50.9", want: { type: "AverageValue", averageValue: "50Mi" } },
  ])("$metric $target", ({ metric, target, want }) => {
    expect(spec({ metric, target }).metrics).toEqual([
      { type: "Resource", resource: { name: metric, target: want } },
    ]);
  });

  test("a metric of any other name is one of the pods", () => {
    expect(spec({ metric: "requests", target: "50.7" }).metrics).toEqual([
      {
        type: "Pods",
        pods: { metric: { name: "requests" }, target: { type: "AverageValue", averageValue: "50" } },
      },
    ]);
  });

  test("without a target there is none, and without a metric it is cpu", () => {
    expect(spec({ metric: "cpu" }).metrics).toBeUndefined();
    expect(spec({ target: "80" }).metrics).toMatchObject([{ resource: { name: "cpu" } }]);
  });
});

test("S-121: bounds are those of the annotations, and none is 2147483647", () => {
  expect(spec({})).toEqual({
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello-00001-deployment" },
    maxReplicas: 2_147_483_647,
  });
  expect(spec({ "min-scale": "2", "max-scale": "5" })).toMatchObject({ minReplicas: 2, maxReplicas: 5 });
});

test("S-123, V-47: a window of 60 s holds both ways", () => {
  const rules = { stabilizationWindowSeconds: 60 };
  expect(spec({ window: "60s" }).behavior).toEqual({ scaleUp: rules, scaleDown: rules });
  expect(spec({}).behavior).toBeUndefined();
});

test("S-121: name, labels and annotations are the PodAutoscaler's, which owns it", () => {
  const of = autoscaler({ metric: "cpu" });
  const settings = revisionSettings(of, defaultAutoscalerConfig, { progressDeadlineMs: 600_000 });
  expect(makeHpa(of, settings, { min: 0, max: 0 }).metadata).toEqual({
    namespace: "default",
    name: "hello-00001",
    labels: of.metadata.labels,
    annotations: of.metadata.annotations,
    ownerReferences: [expect.objectContaining({ uid: "u-1", controller: true, kind: "PodAutoscaler" })],
  });
});

test.each([
  [{ a: 1 }, { a: 1, b: 2 }, true],
  [{ a: { b: [1] } }, { a: { b: [1], c: 2 } }, true],
  [{ a: 1 }, { b: 1 }, false],
  [[1, 2], [1], false],
  [{ a: 1 }, undefined, false],
])("what the API filled in is no difference: %j in %j is %s", (wanted, actual, want) => {
  expect(isPartOf(wanted, actual)).toBe(want);
});

import { type HpaMetric, objectKey, type Pod, type Stored, type StoredMeta } from "@rouse/shared";
import { expect, test } from "vitest";
import { viewOf } from "./hpa-metric.ts";

const MEBI = 1_048_576;
const memory: HpaMetric = {
  type: "Resource",
  resource: { name: "memory", target: { type: "AverageValue", averageValue: "100Mi" } },
};
const cpu: HpaMetric = {
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
};

function pod(name: string, phase: "Running" | "Pending", isReady: boolean): Stored<Pod> {
  const metadata: StoredMeta = {
    namespace: "default",
    name,
    uid: name,
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: "2026-01-01T00:00:00Z",
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { containers: [{ name: "user-container", resources: { requests: { cpu: "100m" } } }] },
    status: { phase, conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] },
  };
}

const pods = [pod("a", "Running", true), pod("b", "Running", false), pod("c", "Pending", false)];
const use = new Map(
  pods.map(({ metadata }) => [objectKey(metadata), { cpuMilli: 100, memoryBytes: 250 * MEBI }]),
);

test("memory of a pod that runs counts before it is ready, CPU does not; one that has not started counts as idle", () => {
  expect(viewOf(memory, 3, pods, use)).toEqual({
    recommendation: { kind: "replicas", replicas: 5 }, // (250 + 250 + 0) / 100
    status: { type: "Resource", resource: { name: "memory", current: { averageValue: "250Mi" } } },
  });
  expect(viewOf(cpu, 3, pods, use)).toEqual({
    recommendation: { kind: "replicas", replicas: 3 }, // (100 + 0 + 0) / 300 is no longer more than half
    status: {
      type: "Resource",
      resource: { name: "cpu", current: { averageUtilization: 100, averageValue: "100m" } },
    },
  });
});

test("without a reading, and by a metric that is not known here, it says so", () => {
  expect(viewOf(memory, 3, pods, new Map()).recommendation).toEqual({
    kind: "unknown",
    message: "no metrics of a ready pod",
  });
  const other: HpaMetric = {
    type: "Pods",
    pods: { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: "1" } },
  };
  expect(viewOf(other, 3, pods, use)).toEqual({
    recommendation: { kind: "unknown", message: "metric queue is not known here" },
  });
});

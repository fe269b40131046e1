import {
  findCondition,
  type HpaMetric,
  type HpaMetricStatus,
  memberOf,
  type ObjectKey,
  objectKey,
  type Pod,
  parseQuantity,
  type Stored,
} from "@rouse/shared";
import { type HpaTarget, type MeasuredPod, type Recommendation, recommend } from "./hpa-formula.ts";
import type { Usage } from "./pod-usage.ts";

const MILLI = 1_000;
const MEBI = 1_048_576;

/** What one metric of an HPA comes to. */
export interface MetricView {
  readonly recommendation: Recommendation;
  /** Absent if nothing is known of it. */
  readonly status?: HpaMetricStatus;
}

/** Looks at `pods` by one metric: `cpu` or `memory`; of any other it says that it is not known. */
export function viewOf(
  metric: HpaMetric,
  replicas: number,
  pods: readonly Stored<Pod>[],
  use: ReadonlyMap<ObjectKey, Usage>,
): MetricView {
  const name = metric.type === "Resource" ? metric.resource.name : metric.pods.metric.name;
  const target = targetOf(metric, name);
  if (target === undefined || (name !== "cpu" && name !== "memory")) {
    return { recommendation: { kind: "unknown", message: `metric ${name} is not known here` } };
  }
  const measured = pods.map((pod) => measuredPod(pod, name, use));
  const recommendation = recommend(replicas, target, measured);
  const status = statusOf(name, target, measured);
  return { recommendation, ...(status === undefined ? {} : { status }) };
}

/** Pods that end or have ended say nothing about the load. */
export function isCounted({ metadata, status }: Stored<Pod>): boolean {
  return (
    metadata.deletionTimestamp === undefined && status?.phase !== "Failed" && status?.phase !== "Succeeded"
  );
}

function targetOf(metric: HpaMetric, name: string): HpaTarget | undefined {
  if (metric.type !== "Resource") return undefined;
  const { averageUtilization, averageValue } = metric.resource.target;
  if (averageUtilization !== undefined) return { kind: "utilization", percent: averageUtilization };
  const value = parseQuantity(averageValue ?? "");
  return value === undefined ? undefined : { kind: "average", value: name === "cpu" ? value * MILLI : value };
}

/**
 * CPU in thousandths of a core, memory in bytes. A pod that is not ready still starts, which takes CPU no request asked
 * for; what it holds of memory it holds.
 */
function measuredPod(
  pod: Stored<Pod>,
  name: "cpu" | "memory",
  use: ReadonlyMap<ObjectKey, Usage>,
): MeasuredPod {
  const seen = use.get(objectKey(pod.metadata));
  const asked = requestOf(pod, name);
  const request = asked === undefined ? undefined : name === "cpu" ? asked * MILLI : asked;
  if ((pod.status?.phase ?? "Pending") === "Pending") return { kind: "starting", request };
  const value = name === "cpu" ? seen?.cpuMilli : seen?.memoryBytes;
  if (value === undefined) return { kind: "missing", request };
  const isReady = findCondition(pod.status?.conditions, "Ready")?.status === "True";
  if (name === "cpu" && !isReady) return { kind: "starting", request };
  return { kind: "measured", request, value };
}

/** What the first container that asks for it asks for; sidecars are ours and ask for nothing here. */
function requestOf(pod: Stored<Pod>, name: string): number | undefined {
  for (const { resources } of pod.spec.containers) {
    const requests = memberOf(resources, "requests");
    const text = memberOf(requests, name);
    if (typeof text === "string" || typeof text === "number") return parseQuantity(String(text));
  }
  return undefined;
}

function statusOf(
  name: "cpu" | "memory",
  target: HpaTarget,
  pods: readonly MeasuredPod[],
): HpaMetricStatus | undefined {
  const known = pods.flatMap((pod) => (pod.kind === "measured" ? [pod] : []));
  if (known.length === 0) return undefined;
  const used = known.reduce((sum, { value }) => sum + value, 0);
  const asked = known.reduce((sum, { request }) => sum + (request ?? 0), 0);
  const average = used / known.length;
  const averageValue = name === "cpu" ? `${Math.round(average)}m` : `${Math.round(average / MEBI)}Mi`;
  const current =
    target.kind === "utilization" && asked > 0
      ? { averageUtilization: Math.round((used * 100) / asked), averageValue }
      : { averageValue };
  return { type: "Resource", resource: { name, current } };
}

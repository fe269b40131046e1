import {
  apiVersion,
  autoscaling,
  controllerOf,
  type HorizontalPodAutoscaler,
  HorizontalPodAutoscalerKind,
  type HpaMetric,
  type PodAutoscaler,
  type Stored,
} from "@rouse/shared";
import type { ScaleBounds } from "../apply/bounds.ts";
import type { RevisionSettings } from "../config/revision-settings.ts";

const INT32_MAX = 2 ** 31 - 1;
const DEFAULT_METRIC = "cpu";

/** The HPA beside a PodAutoscaler of the HPA class: its name, labels and annotations, owned by it. S-121. */
export function makeHpa(
  autoscaler: Stored<PodAutoscaler>,
  settings: RevisionSettings,
  bounds: ScaleBounds,
): HorizontalPodAutoscaler {
  const { namespace, name, labels, annotations } = autoscaler.metadata;
  return {
    apiVersion: apiVersion(HorizontalPodAutoscalerKind),
    kind: HorizontalPodAutoscalerKind.kind,
    metadata: {
      namespace,
      name,
      labels: labels ?? {},
      annotations: annotations ?? {},
      ownerReferences: [controllerOf(autoscaler)],
    },
    spec: hpaSpec(autoscaler, settings, bounds),
  };
}

/** S-121..S-123, V-47. */
export function hpaSpec(
  { metadata, spec }: Pick<PodAutoscaler, "metadata" | "spec">,
  settings: RevisionSettings,
  { min, max }: ScaleBounds,
): HorizontalPodAutoscaler["spec"] {
  const name = metadata.annotations?.[autoscaling.metric] ?? DEFAULT_METRIC;
  const { target } = settings;
  const rules = { stabilizationWindowSeconds: settings.stableWindowMs / 1_000 };
  return {
    scaleTargetRef: spec.scaleTargetRef,
    ...(min > 0 ? { minReplicas: min } : {}),
    maxReplicas: max > 0 ? max : INT32_MAX,
    ...(target === undefined ? {} : { metrics: [hpaMetric(name, target)] }),
    ...(metadata.annotations?.[autoscaling.window] === undefined
      ? {}
      : { behavior: { scaleUp: rules, scaleDown: rules } }),
  };
}

/** S-122. */
function hpaMetric(name: string, target: number): HpaMetric {
  switch (name) {
    case "cpu":
      return {
        type: "Resource",
        resource: { name, target: { type: "Utilization", averageUtilization: Math.ceil(target) } },
      };
    case "memory":
      return {
        type: "Resource",
        resource: { name, target: { type: "AverageValue", averageValue: `${Math.trunc(target)}Mi` } },
      };
    default:
      return {
        type: "Pods",
        pods: {
          metric: { name },
          target: { type: "AverageValue", averageValue: String(Math.trunc(target)) },
        },
      };
  }
}

/** Whether everything `wanted` says is so in `actual`. The API fills in what we leave open; that is no difference. */
export function isPartOf(wanted: unknown, actual: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(actual) &&
      wanted.length === actual.length &&
      wanted.every((item, index) => isPartOf(item, actual[index]))
    );
  }
  if (typeof wanted !== "object" || wanted === null) return wanted === actual;
  if (typeof actual !== "object" || actual === null) return false;
  const held = new Map<string, unknown>(Object.entries(actual));
  return Object.entries(wanted).every(([key, value]) => isPartOf(value, held.get(key)));
}

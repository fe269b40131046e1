import type { Condition } from "../conditions.ts";
import type { Kind, KubeObject } from "../object.ts";
import type { ScaleTargetRef } from "./internal.ts";

export interface HpaMetricTarget {
  readonly type: "Utilization" | "AverageValue" | "Value";
  /** Percent of what the pods request. */
  readonly averageUtilization?: number;
  /** A quantity: `50Mi`, `100m`. */
  readonly averageValue?: string;
}

export type HpaMetric =
  | {
      readonly type: "Resource";
      readonly resource: { readonly name: string; readonly target: HpaMetricTarget };
    }
  | {
      readonly type: "Pods";
      readonly pods: { readonly metric: { readonly name: string }; readonly target: HpaMetricTarget };
    };

/** What a metric was found to be; as its target says it, and for a utilisation as a quantity as well. */
export interface HpaMetricStatus {
  readonly type: "Resource";
  readonly resource: {
    readonly name: string;
    readonly current: { readonly averageUtilization?: number; readonly averageValue: string };
  };
}

export interface HpaScalingRules {
  readonly stabilizationWindowSeconds?: number;
}

/** autoscaling/v2. */
export interface HorizontalPodAutoscaler extends KubeObject {
  readonly spec: {
    readonly scaleTargetRef: ScaleTargetRef;
    readonly minReplicas?: number;
    readonly maxReplicas: number;
    readonly metrics?: readonly HpaMetric[];
    readonly behavior?: { readonly scaleUp?: HpaScalingRules; readonly scaleDown?: HpaScalingRules };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly currentReplicas?: number;
    readonly desiredReplicas?: number;
    readonly lastScaleTime?: string;
    readonly currentMetrics?: readonly HpaMetricStatus[];
    readonly conditions?: readonly Condition[];
  };
}

export const HorizontalPodAutoscalerKind: Kind<HorizontalPodAutoscaler> = {
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  isNamespaced: true,
  hasStatus: true,
};

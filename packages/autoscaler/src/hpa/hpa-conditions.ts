import type { ConditionChange } from "@rouse/shared";
import type { HpaBounds, Recommendation } from "./hpa-formula.ts";

/** One evaluation of an HPA, step by step. */
export interface HpaEvaluation {
  readonly current: number;
  readonly found: Recommendation;
  /** What is left of the recommendation after the windows. */
  readonly steady: number;
  /** And after rate and bounds. */
  readonly desired: number;
  readonly bounds: HpaBounds;
}

/** An HPA's conditions, by the reasons Kubernetes gives. Source: kubernetes pkg/controller/podautoscaler. */
export function hpaConditions(
  evaluation: HpaEvaluation,
): Readonly<Record<"AbleToScale" | "ScalingActive" | "ScalingLimited", ConditionChange>> {
  return {
    AbleToScale: ableToScale(evaluation),
    ScalingActive: scalingActive(evaluation),
    ScalingLimited: scalingLimited(evaluation),
  };
}

function ableToScale({ current, found, steady, desired }: HpaEvaluation): ConditionChange {
  if (found.kind === "replicas" && steady > found.replicas) {
    const message = `held at ${pods(steady)}: recommendations within the window were higher`;
    return { status: "True", reason: "ScaleDownStabilized", message };
  }
  if (found.kind === "replicas" && steady < found.replicas) {
    const message = `held at ${pods(steady)}: recommendations within the window were lower`;
    return { status: "True", reason: "ScaleUpStabilized", message };
  }
  if (desired !== current) {
    return { status: "True", reason: "SucceededRescale", message: `from ${current} to ${pods(desired)}` };
  }
  return { status: "True", reason: "ReadyForNewScale", message: "recommended size matches current size" };
}

function scalingActive({ current, found }: HpaEvaluation): ConditionChange {
  if (current === 0) {
    const message = "scaling is disabled since the replica count of the target is zero";
    return { status: "False", reason: "ScalingDisabled", message };
  }
  return found.kind === "unknown"
    ? { status: "False", reason: "FailedGetResourceMetric", message: found.message }
    : {
        status: "True",
        reason: "ValidMetricFound",
        message: `the metrics ask for ${pods(found.replicas)}`,
      };
}

function scalingLimited({ steady, desired, bounds }: HpaEvaluation): ConditionChange {
  if (desired > steady) {
    const message = `not fewer than ${bounds.min}`;
    return { status: "True", reason: "TooFewReplicas", message };
  }
  if (desired === bounds.max && desired < steady) {
    return { status: "True", reason: "TooManyReplicas", message: `not more than ${bounds.max}` };
  }
  if (desired < steady) {
    const message = `${pods(steady)} are wanted, more than may be added at a time`;
    return { status: "True", reason: "ScaleUpLimit", message };
  }
  return {
    status: "False",
    reason: "DesiredWithinRange",
    message: "the desired count is within the acceptable range",
  };
}

function pods(count: number): string {
  return count === 1 ? "1 pod" : `${count} pods`;
}

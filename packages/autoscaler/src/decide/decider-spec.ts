import type { PodAutoscaler } from "@rouse/shared";
import { type AutoscalerConfig, TARGET_MIN } from "../config/autoscaler-config.ts";
import type { RevisionSettings, ScalingMetric } from "../config/revision-settings.ts";

/** Share of the total that rps targets aim for; only an annotation changes it. S-7. */
const RPS_TARGET_FRACTION = 0.7;

/** What a decider decides by. S-24. */
export interface DeciderSpec {
  readonly metric: ScalingMetric;
  /** What one pod should carry: `totalValue` times the utilisation aimed for. */
  readonly targetValue: number;
  /** What one pod can carry. */
  readonly totalValue: number;
  /** `UNLIMITED_BURST` for no limit. */
  readonly targetBurstCapacity: number;
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  /** Multiple of the ready pods the panic window must ask for. */
  readonly panicThreshold: number;
  readonly stableWindowMs: number;
  readonly scaleDownDelayMs: number;
  readonly initialScale: number;
  readonly isReachable: boolean;
  /** 0 = none. */
  readonly activationScale: number;
}

/** S-69..S-74. */
export function deciderSpec(
  autoscaler: Pick<PodAutoscaler, "spec">,
  settings: RevisionSettings,
  config: AutoscalerConfig,
): DeciderSpec {
  return {
    ...targets(autoscaler.spec.containerConcurrency ?? 0, settings, config),
    metric: settings.metric,
    targetBurstCapacity: settings.targetBurstCapacity,
    maxScaleUpRate: config.maxScaleUpRate,
    maxScaleDownRate: config.maxScaleDownRate,
    panicThreshold: settings.panicThresholdPercentage / 100,
    stableWindowMs: settings.stableWindowMs,
    scaleDownDelayMs: settings.scaleDownDelayMs,
    initialScale: settings.initialScale,
    isReachable: autoscaler.spec.reachability !== "Unreachable",
    activationScale: settings.activationScale,
  };
}

/** What one pod should carry and can carry. `containerConcurrency` 0 is unlimited. S-69..S-71, V-40. */
export function targets(
  containerConcurrency: number,
  settings: Pick<RevisionSettings, "metric" | "target" | "targetFraction">,
  config: Pick<
    AutoscalerConfig,
    "concurrencyTargetFraction" | "concurrencyTargetDefault" | "rpsTargetDefault"
  >,
): Pick<DeciderSpec, "targetValue" | "totalValue"> {
  const total = totalValue(containerConcurrency, settings, config);
  const fraction =
    settings.targetFraction ??
    (settings.metric === "rps" ? RPS_TARGET_FRACTION : config.concurrencyTargetFraction);
  return { targetValue: Math.max(TARGET_MIN, total * fraction), totalValue: total };
}

function totalValue(
  containerConcurrency: number,
  { metric, target }: Pick<RevisionSettings, "metric" | "target">,
  config: Pick<AutoscalerConfig, "concurrencyTargetDefault" | "rpsTargetDefault">,
): number {
  if (metric === "rps") return target ?? config.rpsTargetDefault;
  if (containerConcurrency === 0) return target ?? config.concurrencyTargetDefault;
  return target === undefined ? containerConcurrency : Math.min(target, containerConcurrency);
}

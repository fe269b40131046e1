import { type AggregationAlgorithm, annotations, autoscaling, type PodAutoscaler } from "@rouse/shared";
import {
  type AutoscalerConfig,
  isStableWindow,
  isWholeSeconds,
  UNLIMITED_BURST,
} from "./autoscaler-config.ts";
import type { DeploymentConfig } from "./deployment-config.ts";
import { read } from "./values.ts";

export type ScalingMetric = "concurrency" | "rps";

const HOUR_MS = 3_600_000;
const ACTIVATION_SCALE_MIN = 2;

/** How one revision wants to be scaled: its annotations over the configuration. S-9, S-69..S-73, S-94. */
export interface RevisionSettings {
  readonly metric: ScalingMetric;
  /** The `target` annotation; what stands in for it depends on the metric: S-69. */
  readonly target: number | undefined;
  /** The `target-utilization-percentage` annotation as a fraction of 1. */
  readonly targetFraction: number | undefined;
  readonly targetBurstCapacity: number;
  readonly minScale: number;
  /** 0 = no bound. */
  readonly maxScale: number;
  readonly initialScale: number;
  /** 0 = none. */
  readonly activationScale: number;
  readonly stableWindowMs: number;
  readonly panicWindowPercentage: number;
  readonly panicThresholdPercentage: number;
  readonly scaleDownDelayMs: number;
  readonly podRetentionMs: number;
  readonly progressDeadlineMs: number;
  readonly aggregation: AggregationAlgorithm;
}

/**
 * Reads a PodAutoscaler's annotations leniently: one that is malformed, or outside what validation admits, counts as
 * not set (S-16).
 */
export function revisionSettings(
  autoscaler: { readonly metadata: Pick<PodAutoscaler["metadata"], "annotations"> },
  config: AutoscalerConfig,
  deployment: DeploymentConfig,
): RevisionSettings {
  const given = autoscaler.metadata.annotations ?? {};
  const find = <T>(
    key: string,
    parse: (text: string) => T | undefined,
    isAdmitted: (value: T) => boolean,
  ): T | undefined => {
    const text = given[key] ?? given[alternateSpelling(key)];
    const value = text === undefined ? undefined : parse(text);
    return value !== undefined && isAdmitted(value) ? value : undefined;
  };
  const percentage = find(autoscaling.targetUtilizationPercentage, read.decimal, within(1, 100));
  return {
    metric: find(autoscaling.metric, read.text, () => true) === "rps" ? "rps" : "concurrency",
    target: find(autoscaling.target, read.decimal, (value) => value >= 0.01),
    targetFraction: percentage === undefined ? undefined : percentage / 100,
    targetBurstCapacity:
      find(
        autoscaling.targetBurstCapacity,
        read.decimal,
        (value) => value >= 0 || value === UNLIMITED_BURST,
      ) ?? config.targetBurstCapacity,
    minScale: find(autoscaling.minScale, read.int32, atLeast(0)) ?? config.minScale,
    maxScale: find(autoscaling.maxScale, read.int32, atLeast(0)) ?? config.maxScale,
    initialScale:
      find(autoscaling.initialScale, read.int32, atLeast(config.isInitialScaleZeroAllowed ? 0 : 1)) ??
      config.initialScale,
    activationScale: find(autoscaling.activationScale, read.int32, atLeast(ACTIVATION_SCALE_MIN)) ?? 0,
    stableWindowMs: find(autoscaling.window, read.durationMs, isStableWindow) ?? config.stableWindowMs,
    panicWindowPercentage:
      find(autoscaling.panicWindowPercentage, read.decimal, within(1, 100)) ?? config.panicWindowPercentage,
    panicThresholdPercentage:
      find(autoscaling.panicThresholdPercentage, read.decimal, within(110, 1_000)) ??
      config.panicThresholdPercentage,
    scaleDownDelayMs:
      find(
        autoscaling.scaleDownDelay,
        read.durationMs,
        (value) => within(0, HOUR_MS)(value) && isWholeSeconds(value),
      ) ?? config.scaleDownDelayMs,
    podRetentionMs:
      find(autoscaling.scaleToZeroPodRetentionPeriod, read.durationMs, within(0, HOUR_MS)) ??
      config.podRetentionMs,
    progressDeadlineMs:
      find(annotations.progressDeadline, read.durationMs, atLeast(0)) ?? deployment.progressDeadlineMs,
    aggregation: isWeighted(find(autoscaling.metricAggregationAlgorithm, read.text, () => true))
      ? "weighted-exponential"
      : "linear",
  };
}

/** The class that scales it: its annotation, else the configured one. S-19. */
export function classOf(
  autoscaler: { readonly metadata: Pick<PodAutoscaler["metadata"], "annotations"> },
  config: AutoscalerConfig,
): string {
  return autoscaler.metadata.annotations?.[autoscaling.class] ?? config.podAutoscalerClass;
}

/** Keys are ours, a dozen; every pass of every revision asks for each. */
const alternateSpellings = new Map<string, string>();

/** The camel-case spelling older manifests use: `…/min-scale` is `…/minScale`. S-10. */
function alternateSpelling(key: string): string {
  const known = alternateSpellings.get(key);
  if (known !== undefined) return known;
  const spelling = camelCase(key);
  alternateSpellings.set(key, spelling);
  return spelling;
}

function camelCase(key: string): string {
  const slash = key.indexOf("/");
  const name = key.slice(slash).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return key.slice(0, slash) + name;
}

function isWeighted(algorithm: string | undefined): boolean {
  return algorithm === "weighted-exponential" || algorithm === "weightedExponential";
}

const atLeast = (min: number) => (value: number) => value >= min;
const within = (min: number, max: number) => (value: number) => value >= min && value <= max;

import { autoscaling, formatDuration } from "@rouse/shared";
import { read } from "./values.ts";

/** Target burst capacity of a revision whose traffic always goes through an activator. S-6. */
export const UNLIMITED_BURST = -1;
export const STABLE_WINDOW_MS_MIN = 6_000;
export const STABLE_WINDOW_MS_MAX = 3_600_000;
/** Below it a target would ask for absurd numbers of pods. S-6, S-10, S-71. */
export const TARGET_MIN = 0.01;

/** What `config-autoscaler` says. S-4. Fractions are of 1. */
export interface AutoscalerConfig {
  readonly podAutoscalerClass: string;
  readonly isScaleToZeroEnabled: boolean;
  readonly isInitialScaleZeroAllowed: boolean;
  readonly initialScale: number;
  readonly minScale: number;
  /** 0 = no bound. */
  readonly maxScale: number;
  /** 0 = no bound. */
  readonly maxScaleLimit: number;
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  readonly concurrencyTargetFraction: number;
  readonly concurrencyTargetDefault: number;
  readonly rpsTargetDefault: number;
  /** Requests; `UNLIMITED_BURST` keeps the activator in the path. */
  readonly targetBurstCapacity: number;
  readonly stableWindowMs: number;
  readonly panicWindowPercentage: number;
  readonly panicThresholdPercentage: number;
  readonly activatorCapacity: number;
  readonly scaleToZeroGraceMs: number;
  readonly podRetentionMs: number;
  readonly scaleDownDelayMs: number;
}

export const defaultAutoscalerConfig: AutoscalerConfig = {
  podAutoscalerClass: autoscaling.kpaClass,
  isScaleToZeroEnabled: true,
  isInitialScaleZeroAllowed: false,
  initialScale: 1,
  minScale: 0,
  maxScale: 0,
  maxScaleLimit: 0,
  maxScaleUpRate: 1_000,
  maxScaleDownRate: 2,
  concurrencyTargetFraction: 0.7,
  concurrencyTargetDefault: 100,
  rpsTargetDefault: 200,
  targetBurstCapacity: 211,
  stableWindowMs: 60_000,
  panicWindowPercentage: 10,
  panicThresholdPercentage: 200,
  activatorCapacity: 100,
  scaleToZeroGraceMs: 30_000,
  podRetentionMs: 0,
  scaleDownDelayMs: 0,
};

export type ParsedConfig =
  | {
      readonly kind: "valid";
      readonly config: AutoscalerConfig;
      /** Keys that mean nothing, but for `_example`. */
      readonly ignored: readonly string[];
    }
  /** Every problem there is, each naming its key. */
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

/** Reads the data of `config-autoscaler`. Absent keys take the default, unknown ones are ignored. S-4..S-8. */
export function parseAutoscalerConfig(data: Readonly<Record<string, string>>): ParsedConfig {
  const problems: string[] = [];
  const ignored = new Set(Object.keys(data).filter((key) => !key.startsWith("_")));
  const take = <T>(key: string, parse: (text: string) => T | undefined, otherwise: T): T => {
    ignored.delete(key);
    const text = data[key];
    if (text === undefined) return otherwise;
    const value = parse(text.trim());
    if (value === undefined) problems.push(`${key}: cannot read ${JSON.stringify(text)}`);
    return value ?? otherwise;
  };
  const preset = defaultAutoscalerConfig;
  const config: AutoscalerConfig = {
    podAutoscalerClass: take("pod-autoscaler-class", read.text, preset.podAutoscalerClass),
    isScaleToZeroEnabled: take("enable-scale-to-zero", read.boolean, preset.isScaleToZeroEnabled),
    isInitialScaleZeroAllowed: take("allow-zero-initial-scale", read.boolean, false),
    initialScale: take("initial-scale", read.int32, preset.initialScale),
    minScale: take("min-scale", read.int32, preset.minScale),
    maxScale: take("max-scale", read.int32, preset.maxScale),
    maxScaleLimit: take("max-scale-limit", read.int32, preset.maxScaleLimit),
    maxScaleUpRate: take("max-scale-up-rate", read.decimal, preset.maxScaleUpRate),
    maxScaleDownRate: take("max-scale-down-rate", read.decimal, preset.maxScaleDownRate),
    concurrencyTargetFraction: asFraction(take("container-concurrency-target-percentage", read.decimal, 70)),
    concurrencyTargetDefault: take(
      "container-concurrency-target-default",
      read.decimal,
      preset.concurrencyTargetDefault,
    ),
    rpsTargetDefault: take("requests-per-second-target-default", read.decimal, preset.rpsTargetDefault),
    targetBurstCapacity: take("target-burst-capacity", read.decimal, preset.targetBurstCapacity),
    stableWindowMs: take("stable-window", read.durationMs, preset.stableWindowMs),
    panicWindowPercentage: take("panic-window-percentage", read.decimal, preset.panicWindowPercentage),
    panicThresholdPercentage: take(
      "panic-threshold-percentage",
      read.decimal,
      preset.panicThresholdPercentage,
    ),
    activatorCapacity: take("activator-capacity", read.decimal, preset.activatorCapacity),
    scaleToZeroGraceMs: take("scale-to-zero-grace-period", read.durationMs, preset.scaleToZeroGraceMs),
    podRetentionMs: take("scale-to-zero-pod-retention-period", read.durationMs, preset.podRetentionMs),
    scaleDownDelayMs: take("scale-down-delay", read.durationMs, preset.scaleDownDelayMs),
  };
  if (problems.length === 0) problems.push(...violations(config));
  return problems.length === 0
    ? { kind: "valid", config, ignored: [...ignored] }
    : { kind: "invalid", problems };
}

/** A value up to 1 is a fraction already; more is a percentage. S-6, S-8. */
function asFraction(value: number): number {
  return value > 1 ? value / 100 : value;
}

function violations(config: AutoscalerConfig): readonly string[] {
  const initialScaleMin = config.isInitialScaleZeroAllowed ? 0 : 1;
  const rules: readonly (readonly [isMet: boolean, key: string, rule: string])[] = [
    [config.initialScale >= initialScaleMin, "initial-scale", `must be at least ${initialScaleMin}`],
    [config.minScale >= 0, "min-scale", "must be at least 0"],
    [
      config.maxScale <= 0 || config.minScale <= config.maxScale,
      "min-scale",
      `must not exceed max-scale, ${config.maxScale}`,
    ],
    [config.maxScale >= 0, "max-scale", "must be at least 0"],
    [config.maxScaleLimit >= 0, "max-scale-limit", "must be at least 0"],
    [
      config.maxScaleLimit <= 0 || (config.maxScale >= 1 && config.maxScale <= config.maxScaleLimit),
      "max-scale",
      `must be between 1 and max-scale-limit, ${config.maxScaleLimit}`,
    ],
    [config.maxScaleUpRate > 1, "max-scale-up-rate", "must be more than 1"],
    [config.maxScaleDownRate > 1, "max-scale-down-rate", "must be more than 1"],
    [
      config.concurrencyTargetFraction > 0 && config.concurrencyTargetFraction <= 1,
      "container-concurrency-target-percentage",
      "must be more than 0 and at most 100",
    ],
    [
      config.concurrencyTargetFraction * config.concurrencyTargetDefault >= TARGET_MIN,
      "container-concurrency-target-default",
      `times the target percentage must be at least ${TARGET_MIN}`,
    ],
    [
      config.rpsTargetDefault >= TARGET_MIN,
      "requests-per-second-target-default",
      `must be at least ${TARGET_MIN}`,
    ],
    [
      config.targetBurstCapacity >= 0 || config.targetBurstCapacity === UNLIMITED_BURST,
      "target-burst-capacity",
      "must be at least 0, or -1 for unlimited",
    ],
    [
      isStableWindow(config.stableWindowMs),
      "stable-window",
      `must be whole seconds between ${formatDuration(STABLE_WINDOW_MS_MIN)} and ${formatDuration(STABLE_WINDOW_MS_MAX)}`,
    ],
    [
      config.panicWindowPercentage >= 1 && config.panicWindowPercentage <= 100,
      "panic-window-percentage",
      "must be between 1 and 100",
    ],
    [config.activatorCapacity >= 1, "activator-capacity", "must be at least 1"],
    [config.scaleToZeroGraceMs > 0, "scale-to-zero-grace-period", "must be more than 0"],
    [config.podRetentionMs >= 0, "scale-to-zero-pod-retention-period", "must not be negative"],
    [
      config.scaleDownDelayMs >= 0 && isWholeSeconds(config.scaleDownDelayMs),
      "scale-down-delay",
      "must be whole seconds and not negative",
    ],
  ];
  return rules.filter(([isMet]) => !isMet).map(([, key, rule]) => `${key}: ${rule}`);
}

export function isStableWindow(ms: number): boolean {
  return isWholeSeconds(ms) && ms >= STABLE_WINDOW_MS_MIN && ms <= STABLE_WINDOW_MS_MAX;
}

export function isWholeSeconds(ms: number): boolean {
  return Number.isInteger(ms / 1_000);
}

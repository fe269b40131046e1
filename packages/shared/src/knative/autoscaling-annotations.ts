import { formatDuration, parseDuration } from "./duration.ts";
import { type FieldError, fieldErrors } from "./field-error.ts";
import { autoscaling } from "./names.ts";

const INT32_MAX = 2 ** 31 - 1;
const TARGET_MIN = 0.01;
const ACTIVATION_SCALE_MIN = 2;
const WINDOW_MS = [6_000, 3_600_000] as const;
const DELAY_MS = [0, 3_600_000] as const;
const ALGORITHMS: ReadonlySet<string> = new Set([
  "",
  "linear",
  "weighted-exponential",
  "weightedExponential",
]);
const KPA_METRICS: ReadonlySet<string> = new Set(["concurrency", "rps"]);

/** Second spellings. The first one, in kebab-case, wins where both are there. S-10 */
const ALTERNATES: Readonly<Record<string, string>> = {
  [autoscaling.targetUtilizationPercentage]: "targetUtilizationPercentage",
  [autoscaling.targetBurstCapacity]: "targetBurstCapacity",
  [autoscaling.minScale]: "minScale",
  [autoscaling.maxScale]: "maxScale",
  [autoscaling.initialScale]: "initialScale",
  [autoscaling.scaleDownDelay]: "scaleDownDelay",
  [autoscaling.scaleToZeroPodRetentionPeriod]: "scaleToZeroPodRetentionPeriod",
  [autoscaling.panicWindowPercentage]: "panicWindowPercentage",
  [autoscaling.panicThresholdPercentage]: "panicThresholdPercentage",
  [autoscaling.metricAggregationAlgorithm]: "metricAggregationAlgorithm",
};

type Annotations = Readonly<Record<string, string>>;

/** What the cluster's own settings say about annotations (config-autoscaler). */
export interface AutoscalingLimits {
  readonly allowZeroInitialScale: boolean;
  /** 0 = none. */
  readonly maxScaleLimit: number;
  /** Class of revisions that name none. */
  readonly defaultClass: string;
}

/** An annotation as it was found: under which spelling, and its text. */
export interface FoundAnnotation {
  readonly key: string;
  readonly value: string;
}

/** The annotation of that canonical key, in either spelling. S-10 */
export function findAutoscaling(annotations: Annotations, key: string): FoundAnnotation | undefined {
  const alternate = ALTERNATES[key];
  for (const spelling of alternate === undefined ? [key] : [key, `${autoscaling.prefix}/${alternate}`]) {
    const value = annotations[spelling];
    if (value !== undefined) return { key: spelling, value };
  }
  return undefined;
}

/**
 * What is wrong with the autoscaling annotations of a revision template, Revision, PodAutoscaler or Metric. Paths are
 * the annotation keys. S-9..S-14; readers at run time are lenient instead and take what is malformed as not set (S-16).
 */
export function validateAutoscalingAnnotations(
  annotations: Annotations,
  limits: AutoscalingLimits,
): readonly FieldError[] {
  const check = (key: string, validate: Validate): readonly FieldError[] => {
    const found = findAutoscaling(annotations, key);
    return found === undefined ? [] : validate(found);
  };
  return [
    ...check(autoscaling.class, validateClass),
    ...validateScales(annotations, limits),
    ...check(autoscaling.initialScale, (found) => validateInitialScale(found, limits)),
    ...validateMetric(annotations, limits),
    ...check(autoscaling.target, validateTarget),
    ...check(autoscaling.targetUtilizationPercentage, floatIn(1, 100)),
    ...check(autoscaling.targetBurstCapacity, validateBurstCapacity),
    ...check(autoscaling.panicWindowPercentage, floatIn(1, 100)),
    ...check(autoscaling.panicThresholdPercentage, floatIn(110, 1_000)),
    ...check(autoscaling.window, durationIn(WINDOW_MS, "whole-seconds")),
    ...check(autoscaling.scaleDownDelay, durationIn(DELAY_MS, "whole-seconds")),
    ...check(autoscaling.scaleToZeroPodRetentionPeriod, durationIn(DELAY_MS, "any")),
    ...validateAlgorithm(annotations),
  ];
}

type Validate = (found: FoundAnnotation) => readonly FieldError[];

const validateClass: Validate = ({ key, value }) => {
  const isOurs = value === autoscaling.kpaClass || value === autoscaling.hpaClass;
  return value.endsWith(".knative.dev") && !isOurs ? [fieldErrors.invalid(value, key)] : [];
};

const validateTarget: Validate = ({ key, value }) => {
  const target = parseFloatStrict(value);
  if (target === undefined) return [fieldErrors.invalid(value, key)];
  return target < TARGET_MIN
    ? [fieldErrors.text(`target ${value} should be at least ${TARGET_MIN}`, key)]
    : [];
};

const validateBurstCapacity: Validate = ({ key, value }) => {
  const capacity = parseFloatStrict(value);
  const isValid = capacity !== undefined && (capacity >= 0 || capacity === -1);
  return isValid ? [] : [fieldErrors.invalid(value, key)];
};

function floatIn(min: number, max: number): Validate {
  return ({ key, value }) => {
    const number = parseFloatStrict(value);
    if (number === undefined) return [fieldErrors.invalid(value, key)];
    return number < min || number > max ? [fieldErrors.range(value, [min, max], key)] : [];
  };
}

function durationIn([min, max]: readonly [number, number], precision: "any" | "whole-seconds"): Validate {
  return ({ key, value }) => {
    const ms = parseDuration(value);
    if (ms === undefined) return [fieldErrors.invalid(value, key)];
    const errors: FieldError[] = [];
    if (precision === "whole-seconds" && ms % 1_000 !== 0) {
      errors.push(fieldErrors.text("must be specified with at most second precision", key));
    }
    if (ms < min || ms > max) {
      errors.push(fieldErrors.range(value, [formatDuration(min), formatDuration(max)], key));
    }
    return errors;
  };
}

/** min, max and activation scale, alone and against each other. S-11, S-12 */
function validateScales(annotations: Annotations, limits: AutoscalingLimits): readonly FieldError[] {
  const errors: FieldError[] = [];
  const scaleOf = (canonical: string): number => {
    const found = findAutoscaling(annotations, canonical);
    if (found === undefined) return 0;
    const scale = parseInteger(found.value);
    if (scale === undefined) errors.push(fieldErrors.invalid(found.value, found.key));
    else if (scale < 0 || scale > INT32_MAX) {
      errors.push(fieldErrors.range(found.value, [0, INT32_MAX], found.key));
    } else return scale;
    return 0;
  };
  const min = scaleOf(autoscaling.minScale);
  const max = scaleOf(autoscaling.maxScale);
  if (max !== 0 && max < min) {
    const text = `max-scale=${max} is less than min-scale=${min}`;
    errors.push(fieldErrors.text(text, autoscaling.maxScale, autoscaling.minScale));
  }
  const foundMax = findAutoscaling(annotations, autoscaling.maxScale);
  if (foundMax !== undefined && limits.maxScaleLimit > 0 && parseInteger(foundMax.value) !== undefined) {
    if (max === 0) {
      errors.push(
        fieldErrors.text(`max-scale=0 (unlimited), must be less than ${limits.maxScaleLimit}`, foundMax.key),
      );
    } else if (max > limits.maxScaleLimit) {
      errors.push(fieldErrors.range(max, [1, limits.maxScaleLimit], foundMax.key));
    }
  }
  const activation = findAutoscaling(annotations, autoscaling.activationScale);
  if (activation !== undefined) errors.push(...validateActivationScale(activation, { min, max }));
  return errors;
}

function validateActivationScale(
  { key, value }: FoundAnnotation,
  { min, max }: { readonly min: number; readonly max: number },
): readonly FieldError[] {
  const scale = parseInteger(value);
  if (scale === undefined || scale > INT32_MAX) return [fieldErrors.invalid(value, key)];
  if (min > scale)
    return [fieldErrors.text(`min-scale=${min} is greater than activation-scale=${scale}`, key)];
  if (max !== 0 && max < scale) {
    return [fieldErrors.text(`max-scale=${max} is less than activation-scale=${scale}`, key)];
  }
  if (scale >= ACTIVATION_SCALE_MIN) return [];
  return [fieldErrors.text(`activation-scale=${scale} must be at least ${ACTIVATION_SCALE_MIN}`, key)];
}

function validateInitialScale(
  { key, value }: FoundAnnotation,
  limits: AutoscalingLimits,
): readonly FieldError[] {
  const scale = parseInteger(value);
  if (scale === undefined) return [fieldErrors.invalid(value, key)];
  if (scale < 0) return [fieldErrors.invalid(value, `${key} must be greater than 0`)];
  if (scale === 0 && !limits.allowZeroInitialScale) {
    return [fieldErrors.invalid(value, `${key}=0 not allowed by cluster`)];
  }
  return [];
}

function validateMetric(annotations: Annotations, limits: AutoscalingLimits): readonly FieldError[] {
  const metric = annotations[autoscaling.metric];
  if (metric === undefined) return [];
  const invalid = [fieldErrors.invalid(metric, autoscaling.metric)];
  switch (annotations[autoscaling.class] ?? limits.defaultClass) {
    case autoscaling.kpaClass:
      return KPA_METRICS.has(metric) ? [] : invalid;
    case autoscaling.hpaClass:
      return metric === "" ? invalid : [];
    default:
      return []; // another autoscaler knows its own metrics
  }
}

/** Checked only where the class says literally that the algorithm is ours. */
function validateAlgorithm(annotations: Annotations): readonly FieldError[] {
  const found = findAutoscaling(annotations, autoscaling.metricAggregationAlgorithm);
  if (found === undefined || annotations[autoscaling.class] !== autoscaling.kpaClass) return [];
  return ALGORITHMS.has(found.value) ? [] : [fieldErrors.invalid(found.value, found.key)];
}

function parseInteger(text: string): number | undefined {
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
}

function parseFloatStrict(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

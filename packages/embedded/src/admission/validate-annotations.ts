import { validateSchedule } from "@rouse/autoscaler";
import {
  autoscaling,
  type FieldError,
  fieldErrors,
  annotations as keys,
  parseDuration,
  parseMilli,
  rouse,
  validateAutoscalingAnnotations,
  validateNetworkingAnnotations,
} from "@rouse/shared";
import type { AdmissionSettings } from "./settings.ts";

type Annotations = Readonly<Record<string, string>>;

const QUEUE_SIDECAR = "queue.sidecar.serving.knative.dev/";
const PERCENTAGE = [0.1, 100] as const;
const ROLLOUT_DURATION: readonly string[] = [
  "serving.knative.dev/rollout-duration",
  "serving.knative.dev/rolloutDuration",
];

/** Annotations of a Service, Configuration or Route; paths are from the object's root. S-14 */
export function validateObjectAnnotations(annotations: Annotations): readonly FieldError[] {
  return Object.entries(annotations).flatMap(([key, value]) => {
    if (key.startsWith(autoscaling.prefix)) {
      const details =
        'autoscaling annotations must be put under "spec.template.metadata.annotations" to work';
      return [fieldErrors.key(key, "metadata.annotations", details)];
    }
    if (key === rouse.schedule) {
      const details = 'a schedule must be put under "spec.template.metadata.annotations" to work';
      return [fieldErrors.key(key, "metadata.annotations", details)];
    }
    return ROLLOUT_DURATION.includes(key) ? validateWholeSeconds(value, `metadata.annotations.${key}`) : [];
  });
}

/** Annotations of a revision template or Revision; paths are the keys. §14.4, S-14, S-15, Q-167 */
export function validateTemplateAnnotations(
  annotations: Annotations,
  settings: AdmissionSettings,
): readonly FieldError[] {
  const deadline = annotations[keys.progressDeadline];
  return [
    ...validateScalingAnnotations(annotations, settings),
    ...(deadline === undefined ? [] : validateWholeSeconds(deadline, keys.progressDeadline)),
    ...validateNetworkingAnnotations(annotations),
    ...Object.entries(annotations).flatMap(([key, value]) =>
      key.startsWith(QUEUE_SIDECAR) ? validateSidecarResource(key, value) : [],
    ),
  ];
}

/** What says how a revision is scaled, on whatever object. Paths are the keys. */
export function validateScalingAnnotations(
  annotations: Annotations,
  settings: AdmissionSettings,
): readonly FieldError[] {
  return [
    ...validateAutoscalingAnnotations(annotations, settings.autoscaling),
    ...validateSchedule(annotations),
  ];
}

function validateWholeSeconds(value: string, path: string): readonly FieldError[] {
  const ms = parseDuration(value);
  if (ms === undefined) return [fieldErrors.invalid(value, path)];
  if (ms % 1_000 !== 0)
    return [fieldErrors.text(`${value} is not specified with at most second precision`, path)];
  return ms < 0 ? [fieldErrors.text(`${value} must be positive`, path)] : [];
}

function validateSidecarResource(key: string, value: string): readonly FieldError[] {
  const name = key.slice(QUEUE_SIDECAR.length);
  if (name === "resource-percentage" || name === "resourcePercentage") {
    const percentage = value.trim() === "" ? Number.NaN : Number(value);
    if (Number.isNaN(percentage)) return [fieldErrors.invalid(value, key)];
    const [min, max] = PERCENTAGE;
    return percentage < min || percentage > max ? [fieldErrors.range(value, PERCENTAGE, key)] : [];
  }
  if (!name.includes("-resource-")) return [];
  return parseMilli(value) === undefined ? [fieldErrors.invalid(value, key)] : [];
}

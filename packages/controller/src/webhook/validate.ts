import {
  type FieldError,
  fieldErrors,
  fieldErrorText,
  isJsonMap,
  type JsonMap,
  memberAt,
  parseDuration,
  rouse,
  under,
  validateAutoscalingAnnotations,
  validateNetworkingAnnotations,
} from "@rouse/shared";
import type { Settings } from "../settings/settings.ts";
import { allow, type Verdict } from "./admission-review.ts";
import { SIDECAR_PORTS } from "./inject-sidecar.ts";
import { scalableErrors } from "./validate-scalable.ts";

/** C-31's bound on one pod's concurrency. */
const CONCURRENCY_MAX = 1_000;
const INT32_MAX = 2 ** 31 - 1;

/** Whether a PodAutoscaler or ServerlessService makes sense; of other kinds nothing is known. */
export function validate(kind: string, object: unknown, settings: Settings): Verdict {
  if (!isJsonMap(object)) return allow;
  const errors =
    kind === "PodAutoscaler"
      ? podAutoscalerErrors(object, settings)
      : kind === "ServerlessService"
        ? serverlessServiceErrors(object)
        : [];
  if (errors.length === 0) return allow;
  return { kind: "refuse", message: `validation failed: ${fieldErrorText(errors)}` };
}

/** S-18, S-9. */
function podAutoscalerErrors(object: JsonMap, { autoscaler }: Settings): readonly FieldError[] {
  const annotations = texts(memberAt(object, "metadata.annotations"));
  return [
    ...scalableErrors(object, "scaleTargetRef"),
    ...protocolErrors(object),
    ...wholeNumber(
      memberAt(object, "spec.containerConcurrency"),
      "spec.containerConcurrency",
      CONCURRENCY_MAX,
    ),
    ...oneOf(memberAt(object, "spec.reachability"), "spec.reachability", ["", "Reachable", "Unreachable"]),
    ...under(
      "metadata.annotations",
      validateAutoscalingAnnotations(annotations, {
        allowZeroInitialScale: autoscaler.allowsZeroInitialScale,
        maxScaleLimit: 0,
        defaultClass: autoscaler.podAutoscalerClass,
      }),
    ),
    ...ownAnnotationErrors(annotations),
  ];
}

/** K-9, K-11. */
function serverlessServiceErrors(object: JsonMap): readonly FieldError[] {
  const mode = memberAt(object, "spec.mode");
  return [
    ...scalableErrors(object, "objectRef"),
    ...protocolErrors(object),
    ...(mode === undefined || mode === ""
      ? [fieldErrors.missing("spec.mode")]
      : oneOf(mode, "spec.mode", ["Serve", "Proxy"])),
    ...wholeNumber(memberAt(object, "spec.numActivators"), "spec.numActivators", INT32_MAX),
    ...under(
      "metadata.annotations",
      validateNetworkingAnnotations(texts(memberAt(object, "metadata.annotations"))),
    ),
  ];
}

function protocolErrors(object: JsonMap): readonly FieldError[] {
  const protocol = memberAt(object, "spec.protocolType");
  if (protocol === undefined || protocol === "") return [fieldErrors.missing("spec.protocolType")];
  return oneOf(protocol, "spec.protocolType", ["http1", "h2c"]);
}

function ownAnnotationErrors(annotations: Readonly<Record<string, string>>): readonly FieldError[] {
  const at = (key: string): string => `metadata.annotations.${key}`;
  const errors: FieldError[] = [];
  const invalid = (key: string): void => void errors.push(fieldErrors.invalid(annotations[key], at(key)));
  const { [rouse.inject]: inject, [rouse.port]: port } = annotations;
  if (inject !== undefined && inject !== "true" && inject !== "false") invalid(rouse.inject);
  if (port !== undefined && !isUserPort(port)) invalid(rouse.port);
  for (const key of [rouse.timeout, rouse.maxWait]) {
    const text = annotations[key];
    if (text !== undefined && !((parseDuration(text) ?? 0) > 0)) invalid(key);
  }
  return errors;
}

function isUserPort(text: string): boolean {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port <= 65_535 && !SIDECAR_PORTS.has(port);
}

function wholeNumber(value: unknown, path: string, max: number): readonly FieldError[] {
  if (value === undefined) return [];
  if (typeof value !== "number" || !Number.isInteger(value)) return [fieldErrors.invalid(value, path)];
  return value >= 0 && value <= max ? [] : [fieldErrors.range(value, [0, max], path)];
}

function oneOf(value: unknown, path: string, words: readonly string[]): readonly FieldError[] {
  if (value === undefined || (typeof value === "string" && words.includes(value))) return [];
  return [fieldErrors.invalid(value, path)];
}

function texts(value: unknown): Readonly<Record<string, string>> {
  if (!isJsonMap(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, text]) => (typeof text === "string" ? [[key, text]] : [])),
  );
}

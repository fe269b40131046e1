import {
  type AdmissionRequest,
  type AnyObject,
  ConfigMapKind,
  type FieldError,
  fieldErrorText,
  IngressKind,
  type Kind,
  KnativeServiceKind,
  KubeError,
  type KubeObject,
  MetricKind,
  type ObjectAdmission,
  PodAutoscalerKind,
  type StatusCause,
  SYSTEM_NAMESPACE,
  under,
} from "@rouse/shared";
import { withAuthors } from "./authors.ts";
import { problemOfConfigMap } from "./config-map.ts";
import { defaultServing } from "./default-serving.ts";
import { defaultIngress, validateIngress } from "./ingress.ts";
import { schemaOf } from "./kind-schemas.ts";
import { prune } from "./prune.ts";
import { checkShape } from "./schema.ts";
import { type AdmissionSettings, defaultSettings } from "./settings.ts";
import { validateScalingAnnotations } from "./validate-annotations.ts";
import { validateServing } from "./validate-serving.ts";

const WEBHOOK = "validation.webhook.serving.knative.dev";
const CONFIG_WEBHOOK = "config.webhook.serving.knative.dev";
/** Who writes objects of a home: it has one user. */
const HOME_USER = "rouse";
/** Made by controllers, but with annotations people write. S-14 */
const SCALED_KINDS: readonly Kind<KubeObject>[] = [PodAutoscalerKind, MetricKind];

/** Defaults and checks the kinds of Serving as Knative's webhooks do, inside the API server. C-143, C-167 */
export class ServingAdmission implements ObjectAdmission {
  readonly #settings: () => AdmissionSettings;

  /** @param settings asked for every request, so that config maps take effect at once */
  constructor(settings: () => AdmissionSettings = () => defaultSettings) {
    this.#settings = settings;
  }

  /** @throws KubeError `Invalid` for a wrong shape, `BadRequest` with the webhook's text for wrong content (C-146) */
  admit({ kind, object, before, subresource }: AdmissionRequest): AnyObject {
    // A status is its controller's: what is stored stays writable whatever the settings have become (C-144).
    if (subresource === "status") return object;
    const settings = this.#settings();
    if (kind === ConfigMapKind) return checkConfigMap(object);
    const isExcluded = settings.excludedNamespaces.has(object.metadata.namespace ?? "");
    if (SCALED_KINDS.includes(kind)) return isExcluded ? object : checkScaled(object, settings);
    if (kind.group !== KnativeServiceKind.group && kind !== IngressKind) return object;
    checkKindShape(kind, object);
    const known = prune(object, schemaOf(kind));
    if (isExcluded) return known;
    if (kind === IngressKind) return checkIngress(known, before);
    const authored = withAuthors(kind, known, { before, user: HOME_USER });
    const defaulted = defaultServing(kind, authored, { settings, before });
    // What is on its way out has to be able to lose its finalizers, however strict settings have become.
    const isEnding = before?.metadata.deletionTimestamp !== undefined;
    const errors = isEnding ? [] : validateServing({ kind, object: defaulted, before, settings });
    if (errors.length > 0) throw denied(errors);
    return defaulted;
  }
}

function checkScaled(object: AnyObject, settings: AdmissionSettings): AnyObject {
  const { annotations = {} } = object.metadata;
  const errors = under("metadata.annotations", validateScalingAnnotations(annotations, settings));
  if (errors.length > 0) throw denied(errors);
  return object;
}

/** C-156: what would not be read is not stored. */
function checkConfigMap(object: AnyObject): AnyObject {
  if (object.metadata.namespace !== SYSTEM_NAMESPACE) return object;
  const problem = problemOfConfigMap(object);
  if (problem !== undefined) throw refusal(CONFIG_WEBHOOK, problem);
  return object;
}

function checkIngress(object: AnyObject, before: AnyObject | undefined): AnyObject {
  const defaulted = defaultIngress(object);
  const isEnding = before?.metadata.deletionTimestamp !== undefined;
  const errors = isEnding ? [] : validateIngress(defaulted);
  if (errors.length > 0) throw denied(errors);
  return defaulted;
}

function denied(errors: readonly FieldError[]): KubeError {
  return refusal(WEBHOOK, fieldErrorText(errors));
}

function refusal(webhook: string, text: string): KubeError {
  const message = `admission webhook "${webhook}" denied the request: validation failed: ${text}`;
  return new KubeError("BadRequest", message);
}

/** Types and required fields, as a schema of the kind would. Unknown fields are no fault here: they are not stored. */
function checkKindShape(kind: Kind<KubeObject>, object: AnyObject): void {
  const causes = checkShape(object, schemaOf(kind))
    .filter(({ message }) => !message.startsWith("unknown field"))
    .map(
      ({ path, message }): StatusCause => ({
        reason: message.startsWith("missing") ? "FieldValueRequired" : "FieldValueTypeInvalid",
        message: message.startsWith("missing") ? "Required value" : `Invalid value: ${message}`,
        field: path,
      }),
    );
  if (causes.length === 0) return;
  const { name } = object.metadata;
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const text = texts.length === 1 ? texts.join() : `[${texts.join(", ")}]`;
  const { group } = kind;
  const details = { name, group, kind: kind.kind, causes };
  throw new KubeError("Invalid", `${kind.kind}.${group} "${name}" is invalid: ${text}`, details);
}

import {
  type AdmissionRequest,
  type AnyObject,
  fieldErrorText,
  type Kind,
  KnativeServiceKind,
  KubeError,
  type KubeObject,
  type ObjectAdmission,
  type StatusCause,
} from "@rouse/shared";
import { defaultServing } from "./default-serving.ts";
import { schemaOf } from "./kind-schemas.ts";
import { checkShape } from "./schema.ts";
import { type AdmissionSettings, defaultSettings } from "./settings.ts";
import { validateServing } from "./validate-serving.ts";

const WEBHOOK = "validation.webhook.serving.knative.dev";

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
    if (kind.group !== KnativeServiceKind.group || subresource === "status") return object;
    checkKindShape(kind, object);
    const settings = this.#settings();
    const defaulted = defaultServing(kind, object, { settings, before });
    // What is on its way out has to be able to lose its finalizers, however strict settings have become.
    const isEnding = before?.metadata.deletionTimestamp !== undefined;
    const errors = isEnding ? [] : validateServing({ kind, object: defaulted, before, settings });
    if (errors.length === 0) return defaulted;
    throw new KubeError(
      "BadRequest",
      `admission webhook "${WEBHOOK}" denied the request: validation failed: ${fieldErrorText(errors)}`,
    );
  }
}

/** Types and required fields, as a schema of the kind would. Unknown fields are left to those who write manifests. */
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

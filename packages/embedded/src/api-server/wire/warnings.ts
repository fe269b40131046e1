import { type AnyObject, badRequest, isBuiltIn, KubeError } from "@rouse/shared";
import type { Headers } from "./answer.ts";
import type { ApiResource } from "./api-resource.ts";
import type { ReadObject } from "./read-body.ts";
import type { WriteRequestOptions } from "./request-options.ts";

/** P-96: what is wrong with members is refused, told in headers, or not told. @throws KubeError `BadRequest` */
export function warnings(
  resource: ApiResource,
  read: ReadObject,
  { fieldValidation }: WriteRequestOptions,
): Headers {
  const { complaints } = read;
  if (complaints.length > 0 && fieldValidation === "Strict") {
    const { kind, version } = resource.kind;
    const why = `strict decoding error: ${complaints.join(", ")}`;
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
  }
  return warningHeaders([
    ...(fieldValidation === "Warn" ? complaints : []),
    ...deprecations(resource),
    ...finalizerWarnings(resource, read.object),
  ]);
}

export function patchWarnings(
  resource: ApiResource,
  { read, patched }: { readonly read: ReadObject; readonly patched: unknown },
  { fieldValidation }: WriteRequestOptions,
): Headers {
  const { complaints } = read;
  if (complaints.length > 0 && fieldValidation === "Strict") {
    const why = `strict decoding error: ${complaints.join(", ")}`;
    const message = `Invalid value: ${JSON.stringify(JSON.stringify(patched))}: ${why}`;
    const causes = [{ reason: "FieldValueInvalid" as const, message, field: "patch" }];
    throw new KubeError("Invalid", ` "" is invalid: patch: ${message}`, { causes });
  }
  return warningHeaders([
    ...(fieldValidation === "Warn" ? complaints : []),
    ...deprecations(resource),
    ...finalizerWarnings(resource, read.object),
  ]);
}

/** P-46. */
function finalizerWarnings({ kind }: ApiResource, { metadata }: AnyObject): readonly string[] {
  if (isBuiltIn(kind) || !Array.isArray(metadata.finalizers)) return [];
  return metadata.finalizers
    .filter(
      (finalizer) => typeof finalizer === "string" && !finalizer.includes("/") && !STANDARD.has(finalizer),
    )
    .map(
      (finalizer) =>
        `metadata.finalizers: ${JSON.stringify(finalizer)}: prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers`,
    );
}

const STANDARD: ReadonlySet<string> = new Set(["foregroundDeletion", "orphan", "kubernetes"]);

/** P-38. */
function warningHeaders(texts: readonly string[]): Headers {
  if (texts.length === 0) return {};
  return { Warning: texts.map((each) => `299 - ${JSON.stringify(each)}`) };
}

/** What the reference says about a whole resource whenever it is used. */
export function deprecationHeaders(resource: ApiResource): Headers {
  return warningHeaders(deprecations(resource));
}

function deprecations({ kind }: ApiResource): readonly string[] {
  if (kind.kind !== "Endpoints") return [];
  return ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"];
}

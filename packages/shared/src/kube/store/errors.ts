import { KubeError, type StatusCause } from "../client.ts";
import { isBuiltIn, resourceName } from "../kinds/registry.ts";
import type { Kind, KubeObject } from "../object.ts";

/** The errors of the API in the words of the reference, on which clients match. P-30. */
type AnyKind = Kind<KubeObject>;

export function notFound(kind: AnyKind, name: string): KubeError {
  return new KubeError("NotFound", `${resourceName(kind)} "${name}" not found`, about(kind, name));
}

/** An unknown kind, or a subresource the kind does not have. */
export function noSuchResource(): KubeError {
  return new KubeError("NotFound", "the server could not find the requested resource", {});
}

export function alreadyExists(kind: AnyKind, name: string): KubeError {
  return new KubeError("AlreadyExists", `${resourceName(kind)} "${name}" already exists`, about(kind, name));
}

export function conflict(kind: AnyKind, name: string, why: string = MODIFIED): KubeError {
  return new KubeError(
    "Conflict",
    `Operation cannot be fulfilled on ${resourceName(kind)} "${name}": ${why}`,
    about(kind, name),
  );
}

/** Here the reference names the kind where every other conflict names the resource. P-81 */
export function preconditionFailed(kind: AnyKind, name: string, why: string): KubeError {
  return conflict(isBuiltIn(kind) ? { ...kind, plural: kind.kind } : kind, name, why);
}

const MODIFIED =
  "the object has been modified; please apply your changes to the latest version and try again";

export function badRequest(message: string): KubeError {
  return new KubeError("BadRequest", message);
}

export function forbidden(kind: AnyKind, name: string, why: string, cause?: StatusCause): KubeError {
  return new KubeError("Forbidden", `${resourceName(kind)} "${name}" is forbidden: ${why}`, {
    ...about(kind, name),
    ...(cause === undefined ? {} : { causes: [cause] }),
  });
}

/** Everything wrong with an object at once. P-35. */
export function invalid(kind: AnyKind, name: string, causes: readonly StatusCause[]): KubeError {
  const kindName = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const text = texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
  return new KubeError("Invalid", `${kindName} "${name}" is invalid: ${text}`, {
    ...(name === "" ? {} : { name }),
    ...(kind.group === "" ? {} : { group: kind.group }),
    kind: kind.kind,
    causes,
  });
}

/** A change of metadata that may not be: the reference lists the one cause of it twice for compiled-in kinds. */
export function immutableMetadata(kind: AnyKind, name: string, cause: StatusCause): KubeError {
  const once = invalid(kind, name, [cause]);
  if (!isBuiltIn(kind)) return once;
  return new KubeError(once.reason, once.message, { ...once.details, causes: [cause, cause] });
}

export function invalidValue(field: string, value: unknown, why: string): StatusCause {
  return {
    reason: "FieldValueInvalid",
    message: `Invalid value: ${JSON.stringify(value) ?? "null"}: ${why}`,
    field,
  };
}

/** P-48: only compiled-in kinds may be replaced without saying which version was read. */
export function needsVersion(kind: AnyKind): boolean {
  return !isBuiltIn(kind);
}

function about(kind: AnyKind, name: string): { name: string; group?: string; kind: string } {
  return { name, ...(kind.group === "" ? {} : { group: kind.group }), kind: kind.plural };
}

import { SYSTEM_NAMESPACE } from "../../knative/names.ts";
import type { Kind, KubeObject } from "../object.ts";
import * as errors from "./errors.ts";
import type { AnyObject, StoredObject } from "./stored-object.ts";

/** P-68. */
export const INITIAL_NAMESPACES: readonly string[] = [
  "default",
  "kube-system",
  "kube-public",
  SYSTEM_NAMESPACE,
];
const UNDELETABLE: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);

/**
 * The namespace a new object goes to, `""` for kinds of none.
 * @param find looks up a Namespace object
 * @throws KubeError `BadRequest`, `NotFound`, `Forbidden` while it is being terminated (P-90, P-91)
 */
export function namespaceForNew(
  kind: Kind<KubeObject>,
  object: AnyObject,
  find: (name: string) => StoredObject,
): string {
  if (!kind.isNamespaced) return "";
  const namespace = object.metadata.namespace ?? "";
  if (namespace === "") throw errors.badRequest("an empty namespace may not be set during creation");
  if (find(namespace).metadata.deletionTimestamp === undefined) return namespace;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw errors.forbidden(kind, object.metadata.name, why, {
    reason: "NamespaceTerminating",
    message: `namespace ${namespace} is being terminated`,
    field: "metadata.namespace",
  });
}

/** @throws KubeError `Forbidden` for the namespaces the API itself needs */
export function checkDeletable(kind: Kind<KubeObject>, name: string): void {
  if (kind.kind !== "Namespace" || !UNDELETABLE.has(name)) return;
  throw errors.forbidden(kind, name, "this namespace may not be deleted");
}

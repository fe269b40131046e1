import {
  type AnyObject,
  badRequest,
  conflict,
  immutableMetadata,
  invalidValue,
  type Kind,
  type KubeObject,
  memberAt,
} from "@rouse/shared";
import type { ApiResource } from "./api-resource.ts";

/* What a body says of the object it belongs to has to be what the path says. P-30 */

/** Where the path says it is. @throws KubeError `BadRequest` when the body says otherwise */
export function inNamespace(kind: Kind<KubeObject>, object: AnyObject, namespace: string): AnyObject {
  if (!kind.isNamespaced) return object;
  const sent = object.metadata.namespace || namespace;
  if (sent !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  return { ...object, metadata: { ...object.metadata, namespace } };
}

/** @throws KubeError `BadRequest` when the body names another object than the path */
export function named(object: AnyObject, name: string): AnyObject {
  checkNames({ name }, object);
  return object;
}

/** @throws KubeError `BadRequest` when the body names another object than the path, or none */
export function checkNames({ name, namespace }: { name: string; namespace?: string }, sent: unknown): void {
  const got = memberAt(sent, "metadata.name");
  if (got === undefined || got === "") {
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (got !== name) {
    throw badRequest(`the name of the object (${String(got)}) does not match the name on the URL (${name})`);
  }
  const inside = memberAt(sent, "metadata.namespace");
  if (namespace !== undefined && inside && inside !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

/** What a patch made, where its members are those of an object of this kind. @throws KubeError */
export function patchedObject({ kind }: ApiResource, before: AnyObject, patched: unknown): AnyObject {
  const metadata = memberAt(patched, "metadata");
  if (typeof patched !== "object" || patched === null || typeof metadata !== "object" || metadata === null) {
    throw badRequest("the object provided is unrecognized: metadata is not an object");
  }
  const { name, namespace } = before.metadata;
  checkPatchedNames(metadata, { name, namespace: namespace ?? "" });
  checkUnchanged(kind, before, metadata);
  const version = memberAt(patched, "apiVersion");
  const kindName = memberAt(patched, "kind");
  return {
    ...patched,
    apiVersion: typeof version === "string" ? version : before.apiVersion,
    kind: typeof kindName === "string" ? kindName : before.kind,
    metadata: { ...metadata, name },
  };
}

function checkPatchedNames(metadata: object, { name, namespace }: { name: string; namespace: string }): void {
  const got = memberAt(metadata, "name");
  if (got !== name) {
    throw badRequest(
      `the name of the object (${String(got ?? "")}) does not match the name on the URL (${name})`,
    );
  }
  if ((memberAt(metadata, "namespace") ?? "") !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

/** @throws KubeError where the body is of another object or version: P-41, P-48 */
export function checkUnchanged(kind: Kind<KubeObject>, before: AnyObject, metadata: object): void {
  const uid = memberAt(metadata, "uid");
  const { name } = before.metadata;
  if (uid !== undefined && uid !== before.metadata.uid) {
    throw immutableMetadata(kind, name, invalidValue("metadata.uid", uid, "field is immutable"));
  }
  const version = memberAt(metadata, "resourceVersion");
  if (version !== undefined && version !== "" && version !== before.metadata.resourceVersion)
    throw conflict(kind, name);
}

/** A patch of the object leaves its status alone. P-70 */
export function withStatusOf({ kind }: ApiResource, object: AnyObject, before: AnyObject): AnyObject {
  if (!kind.hasStatus) return object;
  const { status: _, ...rest } = object;
  return before.status === undefined ? rest : { ...rest, status: before.status };
}

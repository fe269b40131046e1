import type { DeleteOptions } from "../client.ts";
import { apiVersion, type Kind, type KubeObject } from "../object.ts";
import * as errors from "./errors.ts";
import { isSameJson } from "./frozen-copy.ts";
import { type AnyObject, isJsonMap, type StoredObject } from "./stored-object.ts";
import { validateMetadata } from "./validate-metadata.ts";

type AnyKind = Kind<KubeObject>;

/** What was sent to a kind's place in the API, if it is an object of that kind. @throws KubeError `BadRequest` */
export function checkIdentity(kind: AnyKind, sent: AnyObject): AnyObject {
  const wanted = apiVersion(kind);
  if (sent.apiVersion !== wanted || sent.kind !== kind.kind) {
    const got = `${sent.apiVersion}, Kind=${sent.kind}`;
    throw errors.badRequest(
      `${kind.kind} in version "${wanted}" cannot be handled as a ${kind.kind}: it says ${got}`,
    );
  }
  if (!isJsonMap(sent.metadata)) {
    throw errors.badRequest(`the object provided is unrecognized: metadata is not an object`);
  }
  return sent;
}

/** Refuses bad metadata, with every cause at once. @throws KubeError `Invalid` */
export function checkMetadata(kind: AnyKind, next: StoredObject, before: StoredObject | undefined): void {
  if (before !== undefined && isSameMetadata(next, before)) return; // nothing a client could have broken
  const causes = validateMetadata(kind, { ...next.metadata });
  if (causes.length > 0) throw errors.invalid(kind, next.metadata.name, causes);
}

/** An object on its way out takes no new finalizers. P-82. @throws KubeError `Invalid` */
export function checkFinalizers(kind: AnyKind, next: StoredObject, before: StoredObject): void {
  if (before.metadata.deletionTimestamp === undefined) return;
  const known = new Set(before.metadata.finalizers ?? []);
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !known.has(finalizer));
  if (added.length === 0) return;
  const list = added.map((finalizer) => JSON.stringify(finalizer)).join(", ");
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
  throw errors.immutableMetadata(kind, next.metadata.name, {
    reason: "FieldValueForbidden",
    message: `Forbidden: ${why}`,
    field: "metadata.finalizers",
  });
}

/**
 * Refuses a replacement that was made of another version or another object. P-48.
 * @throws KubeError `Conflict`, or `Invalid` where a version has to be given and is not
 */
export function checkVersion(kind: AnyKind, sent: AnyObject, before: StoredObject): void {
  const { uid, resourceVersion } = sent.metadata;
  const { name } = before.metadata;
  if (uid && uid !== before.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`;
    throw errors.conflict(kind, name, why);
  }
  if (resourceVersion) {
    if (resourceVersion !== before.metadata.resourceVersion) throw errors.conflict(kind, name);
  } else if (errors.needsVersion(kind)) {
    const cause = errors.invalidValue("metadata.resourceVersion", 0, "must be specified for an update");
    // Here the reference names the resource where it names the kind everywhere else.
    throw errors.invalid({ ...kind, kind: kind.plural }, name, [cause]);
  }
}

/** P-81. @throws KubeError `Conflict` */
export function checkPreconditions(kind: AnyKind, object: StoredObject, options: DeleteOptions): void {
  const { name, uid, resourceVersion } = object.metadata;
  if (options.uid !== undefined && options.uid !== uid) {
    const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw errors.preconditionFailed(kind, name, why);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw errors.preconditionFailed(kind, name, why);
  }
}

/** Whether everything that `generation` counts is the same: all but metadata and status. C-3, P-43 */
export function isSameSpec(a: AnyObject, b: AnyObject): boolean {
  // A Deployment counts its annotations too.
  if (a.kind === "Deployment" && !isSameJson(a.metadata.annotations, b.metadata.annotations)) return false;
  const { metadata: _am, status: _as, ...specA } = a;
  const { metadata: _bm, status: _bs, ...specB } = b;
  return isSameJson(specA, specB);
}

function isSameMetadata({ metadata: a }: StoredObject, { metadata: b }: StoredObject): boolean {
  return (
    a.labels === b.labels &&
    a.annotations === b.annotations &&
    a.finalizers === b.finalizers &&
    a.ownerReferences === b.ownerReferences
  );
}

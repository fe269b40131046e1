import { KubeError, type Patch } from "../client.ts";
import type { Kind, KubeObject, ObjectMeta } from "../object.ts";
import * as errors from "./errors.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { type AnyObject, isJsonMap, memberAt, memberOf, type StoredObject } from "./stored-object.ts";

/**
 * The object a patch makes of `before`. What is not in the patch is shared with it.
 * @throws KubeError `BadRequest` or `Invalid` when it does not apply, `Conflict` when it names another version
 */
export function applyPatch(kind: Kind<KubeObject>, before: StoredObject, patch: Patch): AnyObject {
  const patched = patchedValue(before, patch);
  const metadata = memberOf(patched, "metadata");
  if (!isJsonMap(patched) || !isJsonMap(metadata)) {
    throw errors.badRequest("the object provided is unrecognized: metadata is not an object");
  }
  checkSame(kind, before, metadata);
  // Its members are what a client sent; validation comes after, as for any other write.
  return patched as unknown as AnyObject;
}

/**
 * Applies a patch to the Scale of a Deployment (autoscaling/v1) and gives the Deployment it makes. P-75.
 * @throws KubeError as `applyPatch`; `NotFound` for kinds without that subresource
 */
export function applyScalePatch(kind: Kind<KubeObject>, before: StoredObject, patch: Patch): AnyObject {
  if (kind.group !== "apps") throw errors.noSuchResource();
  const { name, namespace, uid, resourceVersion, creationTimestamp } = before.metadata;
  const scale = {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: memberAt(before, "spec.replicas") ?? 0 },
    status: { replicas: memberAt(before, "status.replicas") ?? 0 },
  };
  const patched = patchedValue(scale, patch);
  const metadata = memberOf(patched, "metadata");
  if (isJsonMap(metadata)) checkSame(kind, before, metadata);
  const replicas = memberAt(patched, "spec.replicas") ?? 0;
  if (typeof replicas !== "number" || !Number.isInteger(replicas) || replicas < 0) {
    const cause = errors.invalidValue("spec.replicas", replicas, "must be greater than or equal to 0");
    throw errors.invalid({ ...kind, group: "autoscaling", kind: "Scale" }, name, [cause]);
  }
  const spec = isJsonMap(before.spec) ? before.spec : {};
  return { ...before, spec: { ...spec, replicas } };
}

function patchedValue(document: unknown, patch: Patch): unknown {
  if (patch.kind === "json") return applyJsonPatch(document, patch.operations);
  if (!isJsonMap(patch.body)) throw errors.badRequest("a merge patch has to be an object");
  return applyMergePatch(document, patch.body);
}

/** Name and uid never change; a version in the result has to be the stored one (P-48, P-41). */
function checkSame(
  kind: Kind<KubeObject>,
  { metadata: before }: { readonly metadata: ObjectMeta },
  metadata: { readonly [member: string]: unknown },
): void {
  const { name, namespace, uid, resourceVersion } = metadata;
  if (name !== before.name) {
    throw new KubeError(
      "BadRequest",
      `the name of the object (${String(name)}) does not match the name on the URL (${before.name})`,
    );
  }
  if ((namespace ?? "") !== (before.namespace ?? "")) {
    throw errors.badRequest(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  }
  if (uid !== undefined && uid !== before.uid) {
    const cause = errors.invalidValue("metadata.uid", uid, "field is immutable");
    throw errors.invalid(kind, before.name, [cause]);
  }
  if (resourceVersion !== undefined && resourceVersion !== before.resourceVersion) {
    throw errors.conflict(kind, before.name);
  }
}

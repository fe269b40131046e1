import {
  type AnyObject,
  conflict,
  invalid,
  invalidValue,
  isJsonMap,
  type JsonMap,
  type Kind,
  type KubeObject,
  memberAt,
  type StoredObject,
} from "@rouse/shared";

/** How many replicas an object has, in the form that is the same for every kind (autoscaling/v1). P-75 */
export function scaleOf(stored: StoredObject): JsonMap {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = stored.metadata;
  const replicas = memberAt(stored, "spec.replicas");
  const labels = memberAt(stored, "spec.selector.matchLabels");
  const selector = isJsonMap(labels)
    ? Object.entries(labels)
        .map(([key, value]) => `${key}=${String(value)}`)
        .sort()
        .join(",")
    : "";
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 || replicas === undefined ? {} : { replicas },
    status: { replicas: memberAt(stored, "status.replicas") ?? 0, ...(selector === "" ? {} : { selector }) },
  };
}

/** The object with the replicas of `scale`. @throws KubeError `Conflict`, `Invalid` */
export function scaled(kind: Kind<KubeObject>, before: StoredObject, scale: unknown): AnyObject {
  const { name, resourceVersion } = before.metadata;
  const sent = memberAt(scale, "metadata.resourceVersion");
  if (sent && sent !== resourceVersion) throw conflict(kind, name);
  const replicas = memberAt(scale, "spec.replicas") ?? 0;
  if (typeof replicas !== "number" || !Number.isInteger(replicas) || replicas < 0) {
    const cause = invalidValue("spec.replicas", replicas, "must be greater than or equal to 0");
    throw invalid({ ...kind, group: "autoscaling", kind: "Scale" }, name, [cause]);
  }
  return { ...before, spec: { ...(isJsonMap(before.spec) ? before.spec : {}), replicas } };
}

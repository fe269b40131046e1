import type { Kind, KubeObject } from "../object.ts";
import { type AnyObject, isJsonMap, memberOf } from "./stored-object.ts";

/** What a new object of a compiled-in kind has whatever was sent: P-61 (pods), P-90 (namespaces). */
export function shapeNew(kind: Kind<KubeObject>, object: AnyObject): AnyObject {
  if (kind.group !== "") return object;
  switch (kind.kind) {
    case "Pod":
      return { ...object, status: { phase: "Pending" } };
    case "Namespace": {
      const labels = { ...object.metadata.labels, "kubernetes.io/metadata.name": object.metadata.name };
      const spec = isJsonMap(object.spec) ? object.spec : {};
      return {
        ...object,
        metadata: { ...object.metadata, labels },
        spec: { ...spec, finalizers: memberOf(spec, "finalizers") ?? ["kubernetes"] },
        status: { phase: "Active" },
      };
    }
    default:
      return object;
  }
}

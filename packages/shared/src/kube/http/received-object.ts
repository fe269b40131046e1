import { KubeError } from "../client.ts";
import { apiVersion, type Kind, type KubeObject, type Stored } from "../object.ts";
import { isJsonMap, memberOf } from "../store/stored-object.ts";

/**
 * An object as the API sent it, frozen, with what it leaves out where we rely on it: items of lists do not name their
 * kind, objects of no namespace have none, and some kinds have no generation. A path of a kind leads to objects of
 * that kind; that they have its shape is what the API sees to.
 * @throws KubeError `InternalError` for what is no object at all
 */
export function receivedObject<T extends KubeObject>(kind: Kind<T>, value: unknown): Stored<T> {
  if (!isJsonMap(value)) throw new KubeError("InternalError", `the API sent no ${kind.kind}`);
  const sent = memberOf(value, "metadata");
  const metadata = {
    namespace: "",
    generation: 0,
    ...(isJsonMap(sent) ? sent : {}),
    managedFields: undefined, // who wrote what: often half of an object, and of no use to us
  };
  return deepFreeze({
    apiVersion: apiVersion(kind),
    kind: kind.kind,
    ...value,
    metadata,
  }) as unknown as Stored<T>;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}

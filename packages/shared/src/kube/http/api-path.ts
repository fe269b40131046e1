import type { ListQuery, Subresource } from "../client.ts";
import type { Kind, KubeObject, ObjectRef } from "../object.ts";

/** `/api/v1/namespaces/default/pods`, `/apis/apps/v1/deployments`. No namespace: of all of them. */
export function collectionPath(kind: Kind<KubeObject>, namespace: string | undefined): string {
  const group = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const isWithin = kind.isNamespaced && namespace !== undefined && namespace !== "";
  return `${group}${isWithin ? `/namespaces/${encodeURIComponent(namespace)}` : ""}/${kind.plural}`;
}

export function objectPath(kind: Kind<KubeObject>, ref: ObjectRef, subresource?: Subresource): string {
  const path = `${collectionPath(kind, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** With its `?`; "" if there is nothing to say. */
export function queryText(
  { labelSelector, fieldSelector }: ListQuery,
  further: Readonly<Record<string, string | undefined>> = {},
): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries({ labelSelector, fieldSelector, ...further })) {
    if (value !== undefined && value !== "") parameters.set(key, value);
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

import {
  compileQuery,
  type Kind,
  KubeError,
  type KubeObject,
  type ListQuery,
  type ObjectStore,
  objectKey,
  type StoredObject,
} from "@rouse/shared";

/**
 * What a list showed at an older version: the newest state with the later changes taken back, as long as they are known.
 * @throws KubeError `Expired` when they are not. P-106
 */
export function stateAt(
  store: ObjectStore,
  kind: Kind<KubeObject>,
  { query, version }: { readonly query: ListQuery; readonly version: number },
): readonly StoredObject[] {
  const history = store.history(kind);
  const from = history.sequenceAfter(version);
  if (from === undefined) {
    throw new KubeError("Expired", "The resourceVersion for the provided list is too old.");
  }
  if (from === history.sequenceNext) return store.list(kind, query);
  const objects = new Map(store.list(kind).map((object) => [objectKey(object.metadata), object]));
  for (let sequence = history.sequenceNext - 1; sequence >= from; sequence--) {
    const change = history.at(sequence);
    if (change === undefined) continue;
    const key = objectKey(change.object.metadata);
    if (change.before === undefined) objects.delete(key);
    else objects.set(key, change.before);
  }
  const matches = compileQuery(kind, query);
  return [...objects.values()].filter(matches).sort(byNamespaceAndName);
}

export function byNamespaceAndName({ metadata: a }: StoredObject, { metadata: b }: StoredObject): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

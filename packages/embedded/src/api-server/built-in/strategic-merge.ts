import { badRequest, invalidValue, isJsonMap, type JsonMap, KubeError } from "@rouse/shared";
import { type MessageType, messageType, type ValueType } from "./message-types.ts";

const ORDER = "$setElementOrder/";
const DELETE_PRIMITIVES = "$deleteFromPrimitiveList/";

/**
 * Applies a strategic merge patch to an object of a compiled-in kind: lists merge by the keys its messages name, with
 * the directives `$patch`, `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…`. P-53
 * @throws KubeError `BadRequest`, `Invalid` for an element without its key
 */
export function applyStrategicMerge(message: string, document: JsonMap, patch: unknown): JsonMap {
  if (!isJsonMap(patch)) throw badRequest("a strategic merge patch has to be an object");
  return mergeMap({ kind: "message", message }, document, patch);
}

function mergeMap(type: ValueType | undefined, document: JsonMap, patch: JsonMap): JsonMap {
  const { $patch: directive, $retainKeys: retained, ...members } = patch;
  if (directive === "replace") return clean(members);
  if (directive === "delete") return {};
  const result: Record<string, unknown> = { ...document };
  for (const [name, value] of Object.entries(members)) {
    if (name === "__proto__") continue;
    if (name.startsWith(DELETE_PRIMITIVES)) {
      const of = name.slice(DELETE_PRIMITIVES.length);
      const list = result[of];
      const gone: unknown = value;
      if (Array.isArray(list) && Array.isArray(gone))
        result[of] = list.filter((item) => !gone.includes(item));
    } else if (!name.startsWith(ORDER)) {
      if (value === null) delete result[name];
      else result[name] = merge(memberType(type, name), result[name], value, members[`${ORDER}${name}`]);
    }
  }
  for (const [name, order] of Object.entries(members)) {
    if (!name.startsWith(ORDER)) continue;
    const of = name.slice(ORDER.length);
    const list = result[of];
    const listType = memberType(type, of);
    if (!Array.isArray(list) || listType?.kind !== "list") continue;
    result[of] = inOrder(list, order, listType.mergeKey ?? "");
  }
  if (!Array.isArray(retained)) return result;
  return Object.fromEntries(Object.entries(result).filter(([name]) => retained.includes(name)));
}

function merge(type: ValueType | undefined, before: unknown, patch: unknown, order: unknown): unknown {
  if (isJsonMap(patch)) return mergeMap(type, isJsonMap(before) ? before : {}, patch);
  if (!Array.isArray(patch)) return patch;
  const list: readonly unknown[] = Array.isArray(before) ? before : [];
  if (type?.kind !== "list" || type.mergeKey === undefined) return patch.map(clean);
  if (type.mergeKey === "") return mergeSet(list, patch);
  return mergeList({ type: type.of, key: type.mergeKey }, { list, patch, order });
}

/** The patch's members first, then what only the store has. */
function mergeSet(list: readonly unknown[], patch: readonly unknown[]): readonly unknown[] {
  return place(list, [...new Set(patch)], (item) => item);
}

function mergeList(
  { type, key }: { readonly type: ValueType; readonly key: string },
  {
    list,
    patch,
  }: { readonly list: readonly unknown[]; readonly patch: readonly unknown[]; readonly order: unknown },
): readonly unknown[] {
  const keyOf = (item: unknown): unknown => (isJsonMap(item) ? item[key] : undefined);
  const replaces = patch.some(
    (item) => isJsonMap(item) && item.$patch === "replace" && !Object.hasOwn(item, key),
  );
  const base = replaces ? [] : list;
  const deleted = new Set<unknown>();
  const changed: unknown[] = [];
  for (const item of patch) {
    if (!isJsonMap(item)) throw badRequest("a strategic merge patch has an element that is no object");
    if (!Object.hasOwn(item, key)) {
      if (item.$patch === "replace") continue;
      const why = `map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`;
      throw new KubeError("Invalid", why, { causes: [invalidValue("patch", item, why)] });
    }
    if (item.$patch === "delete") deleted.add(item[key]);
    else {
      const before = base.find((each) => keyOf(each) === item[key]);
      changed.push(mergeMap(type, isJsonMap(before) ? before : {}, item));
    }
  }
  return place(
    base.filter((item) => !deleted.has(keyOf(item))),
    changed,
    keyOf,
  );
}

/**
 * `changed` in its order; what only `stored` has keeps its place before the next element both have, and comes last when
 * they have nothing in common.
 */
function place(
  stored: readonly unknown[],
  changed: readonly unknown[],
  keyOf: (item: unknown) => unknown,
): readonly unknown[] {
  const changedKeys = new Set(changed.map(keyOf));
  const storedKeys = stored.map(keyOf);
  const result: unknown[] = [];
  let next = 0;
  for (const item of changed) {
    const at = storedKeys.indexOf(keyOf(item));
    if (at >= next) {
      for (; next < at; next++) if (!changedKeys.has(storedKeys[next])) result.push(stored[next]);
      next = at + 1;
    }
    result.push(item);
  }
  for (; next < stored.length; next++) if (!changedKeys.has(storedKeys[next])) result.push(stored[next]);
  return result;
}

/** What is named in that order, with what is not named after the one it stood behind. */
function inOrder(list: readonly unknown[], order: unknown, key: string): readonly unknown[] {
  if (!Array.isArray(order)) return list;
  const keyOf = (item: unknown): unknown => (isJsonMap(item) && key !== "" ? item[key] : item);
  const wanted = order.map(keyOf);
  const named = wanted.flatMap((value) => list.filter((item) => keyOf(item) === value));
  return place(list, named, keyOf);
}

function memberType(type: ValueType | undefined, name: string): ValueType | undefined {
  if (type?.kind === "map") return type.of;
  if (type?.kind !== "message") return undefined;
  const message: MessageType = messageType(type.message);
  return message.byName.get(name)?.type;
}

/** A value without directives in it. */
function clean(value: unknown): JsonMap {
  return cleaned(value) as JsonMap;
}

function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned);
  if (!isJsonMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !name.startsWith("$"))
      .map(([name, member]) => [name, cleaned(member)]),
  );
}

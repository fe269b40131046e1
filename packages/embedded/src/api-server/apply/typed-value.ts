import { badRequest, isJsonMap, isSameJson, type JsonMap } from "@rouse/shared";
import { type FieldSet, fieldSet, leaf, nothing } from "./field-set.ts";
import type { FieldType, ListKey } from "./field-type.ts";

/** Every place a value sets. An empty map or list is a place itself. */
export function setOf(type: FieldType, value: unknown): FieldSet {
  const parts = partsOf(type, value);
  if (parts === undefined || parts.size === 0) return leaf;
  return fieldSet(
    [...parts].map(([element, part]) => {
      const below = setOf(part.type, part.value);
      return [element, part.isElement ? { ...below, isMember: true } : below];
    }),
  );
}

/** `live` with everything that `config` says; what `config` leaves out stays. */
export function merged(type: FieldType, live: unknown, config: unknown): unknown {
  if (type.kind === "members" && isJsonMap(live) && isJsonMap(config)) {
    const result: Record<string, unknown> = { ...live };
    for (const [name, value] of Object.entries(config)) {
      if (name !== "__proto__") result[name] = merged(type.of(name), live[name], value);
    }
    return result;
  }
  const before = partsOf(type, live);
  const wanted = partsOf(type, config);
  if (type.kind === "members" || before === undefined || wanted === undefined) return config;
  // As the reference has them: in the order of the one who applies, with what only others have where it stood.
  const result: unknown[] = [];
  const kept = [...before].filter(([element]) => !wanted.has(element));
  const places = [...before.keys()];
  for (const [element, part] of wanted) {
    const at = places.indexOf(element);
    while (at >= 0 && kept[0] !== undefined && places.indexOf(kept[0][0]) < at)
      result.push(kept.shift()?.[1].value);
    result.push(merged(part.type, before.get(element)?.value, part.value));
  }
  return [...result, ...kept.map(([, { value }]) => value)];
}

/** What differs between two values: places that `after` has otherwise than `before` or anew, and those it no longer has. */
export interface Difference {
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

export function differenceOf(type: FieldType, before: unknown, after: unknown): Difference {
  if (before === after || isSameJson(before, after)) return { changed: nothing, removed: nothing };
  if (before === undefined) return { changed: setOf(type, after), removed: nothing };
  if (after === undefined) return { changed: nothing, removed: setOf(type, before) };
  const [had, has] = [partsOf(type, before), partsOf(type, after)];
  if (had === undefined || has === undefined) return { changed: leaf, removed: nothing };
  const inner = [...new Set([...had.keys(), ...has.keys()])].map((element) => {
    const [was, is] = [had.get(element), has.get(element)];
    const part = is ?? was;
    const below = differenceOf(part?.type ?? type, was?.value, is?.value);
    const isElement = part?.isElement === true;
    return {
      element,
      changed: isElement && was === undefined ? { ...below.changed, isMember: true } : below.changed,
      removed: isElement && is === undefined ? { ...below.removed, isMember: true } : below.removed,
    };
  });
  return {
    changed: fieldSet(
      inner.map(({ element, changed }) => [element, changed]),
      { isMember: has.size === 0 },
    ),
    removed: fieldSet(
      inner.map(({ element, removed }) => [element, removed]),
      { isMember: had.size === 0 },
    ),
  };
}

/** The value without the places of `set`, and without what they leave empty. `undefined`: nothing is left. */
export function without(type: FieldType, value: unknown, set: FieldSet): unknown {
  if (set.children.size === 0) return set.isMember ? undefined : value;
  const parts = partsOf(type, value);
  if (parts === undefined) return set.isMember ? undefined : value;
  const left: (readonly [string, unknown])[] = [];
  let isSame = true;
  for (const [element, part] of parts) {
    const gone = set.children.get(element);
    if (gone === undefined) {
      left.push([element, part.value]);
      continue;
    }
    isSame = false;
    if (part.isElement && gone.isMember) continue;
    const rest = without(part.type, part.value, part.isElement ? withoutKeys(type, gone) : gone);
    if (rest !== undefined) left.push([element, rest]);
  }
  if (isSame) return value;
  if (left.length === 0) return undefined;
  if (type.kind !== "members") return left.map(([, rest]) => rest);
  return Object.fromEntries(left.map(([element, rest]) => [element.slice(2), rest]));
}

interface Part {
  readonly value: unknown;
  readonly type: FieldType;
  /** Whether it is an element of a list, which is there or not apart from what it has. */
  readonly isElement: boolean;
}

/** By path element; `undefined` where the value is taken whole. @throws KubeError `BadRequest` */
function partsOf(type: FieldType, value: unknown): ReadonlyMap<string, Part> | undefined {
  switch (type.kind) {
    case "whole":
      return undefined;
    case "members":
      if (!isJsonMap(value)) return undefined;
      return new Map(
        Object.entries(value).map(([name, member]) => [
          `f:${name}`,
          { value: member, type: type.of(name), isElement: false },
        ]),
      );
    case "elements":
      if (!Array.isArray(value)) return undefined;
      return new Map(
        value.map((item: unknown) => [
          `k:${keyOf(type.keys, item)}`,
          { value: item, type: type.of, isElement: true },
        ]),
      );
    case "set":
      if (!Array.isArray(value)) return undefined;
      return new Map(
        value.map((item: unknown) => [
          `v:${JSON.stringify(item)}`,
          { value: item, type: { kind: "whole" }, isElement: false },
        ]),
      );
  }
}

function keyOf(keys: readonly ListKey[], item: unknown): string {
  if (!isJsonMap(item)) throw badRequest("associative list with keys has an element that is no object");
  const found: Record<string, unknown> = {};
  for (const { name, fallback } of [...keys].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const value = item[name] ?? fallback;
    if (value !== undefined) found[name] = value;
  }
  if (keys.every(({ name }) => item[name] === undefined)) {
    const names = keys.map(({ name }) => JSON.stringify(name)).join(", ");
    throw badRequest(`associative list with keys has an element that omits key field ${names}`);
  }
  return JSON.stringify(found);
}

/** An element that stays keeps what it is told apart by. */
function withoutKeys(type: FieldType, set: FieldSet): FieldSet {
  if (type.kind !== "elements") return set;
  const keys = new Set(type.keys.map(({ name }) => `f:${name}`));
  return { ...set, children: new Map([...set.children].filter(([element]) => !keys.has(element))) };
}

/** A value without members that are `null`, which say nothing. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJsonMap(value)) return value;
  const kept: JsonMap = Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, withoutNulls(member)]),
  );
  return kept;
}

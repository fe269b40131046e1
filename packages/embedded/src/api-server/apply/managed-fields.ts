import { isJsonMap, isSameJson, type ManagedFields } from "@rouse/shared";
import {
  type FieldSet,
  fromFieldsV1,
  isNothing,
  isSameSet,
  minus,
  nothing,
  toFieldsV1,
  union,
} from "./field-set.ts";
import type { Difference } from "./typed-value.ts";

/** Somebody who writes objects: by applying what it wants, or by any other write. */
export interface Manager {
  readonly name: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  /** `""`: the object itself. */
  readonly subresource: string;
}

/** What one manager owns of an object. */
export interface Owned {
  readonly manager: Manager;
  readonly set: FieldSet;
  /** When that last changed, as RFC 3339. */
  readonly time: string | undefined;
}

/** Managers that update and own something; older ones become one, as in the reference. */
const UPDATERS_MAX = 10;
const ANCIENT = "ancient-changes";

/** As an object has it. Entries that make no sense are left out. */
export function readOwned(managedFields: unknown): readonly Owned[] {
  if (!Array.isArray(managedFields)) return [];
  return managedFields.flatMap((entry: unknown): readonly Owned[] => {
    if (!isJsonMap(entry)) return [];
    const { manager = "", operation, apiVersion = "", subresource = "", time, fieldsV1 } = entry;
    if (operation !== "Apply" && operation !== "Update") return [];
    if (typeof manager !== "string" || typeof apiVersion !== "string" || typeof subresource !== "string")
      return [];
    const set = fromFieldsV1(fieldsV1);
    const known = { name: manager, operation, apiVersion, subresource } as const;
    return isNothing(set) ? [] : [{ manager: known, set, time: typeof time === "string" ? time : undefined }];
  });
}

/** As an object shows it; `before` itself where nothing is other than there. */
export function writeOwned(
  owned: readonly Owned[],
  before: readonly ManagedFields[] | undefined,
): readonly ManagedFields[] | undefined {
  const entries = bounded(owned.filter(({ set }) => !isNothing(set))).map(entryOf);
  if (isSameJson(entries, before ?? [])) return before;
  return entries;
}

/** After a write that is no apply: who made a change owns it, and nobody else does. */
export function afterUpdate(
  owned: readonly Owned[],
  manager: Manager,
  { changed, removed }: Difference,
  now: string,
): readonly Owned[] {
  const own = owned.find((each) => isSame(each.manager, manager))?.set ?? nothing;
  const set = union(minus(own, removed), changed);
  return withOwn(owned, { manager, set, time: now }, union(changed, removed));
}

/** After an apply: its manager owns exactly `set`, and others no more what it has changed by force. */
export function afterApply(
  owned: readonly Owned[],
  manager: Manager,
  { set, difference, now }: { readonly set: FieldSet; readonly difference: Difference; readonly now: string },
): readonly Owned[] {
  return withOwn(owned, { manager, set, time: now }, union(difference.changed, difference.removed));
}

export function isSame(a: Manager, b: Manager): boolean {
  return (
    a.name === b.name &&
    a.operation === b.operation &&
    a.apiVersion === b.apiVersion &&
    a.subresource === b.subresource
  );
}

/**
 * Each in its place, so that a write repeated is no change: nor is the time another where nothing else is. What was
 * touched belongs to nobody else any more.
 */
function withOwn(owned: readonly Owned[], next: Owned, touched: FieldSet): readonly Owned[] {
  const isThere = owned.some((each) => isSame(each.manager, next.manager));
  const left = owned.map((each) => {
    if (isSame(each.manager, next.manager)) return isSameSet(each.set, next.set) ? each : next;
    return { ...each, set: minus(each.set, touched) };
  });
  return isThere ? left : [...left, next];
}

function bounded(owned: readonly Owned[]): readonly Owned[] {
  const updaters = owned.filter(
    ({ manager }) => manager.operation === "Update" && manager.subresource === "",
  );
  if (updaters.length <= UPDATERS_MAX) return owned;
  const byAge = [...updaters].sort((a, b) => ((a.time ?? "") < (b.time ?? "") ? -1 : 1));
  const old = new Set(byAge.slice(0, updaters.length - UPDATERS_MAX + 1));
  const [first] = old;
  if (first === undefined) return owned;
  const set = [...old].reduce((all, each) => union(all, each.set), nothing);
  const ancient = { ...first, manager: { ...first.manager, name: ANCIENT }, set };
  return [...owned.filter((each) => !old.has(each)), ancient];
}

function entryOf({ manager, set, time }: Owned): ManagedFields {
  const { name, operation, apiVersion, subresource } = manager;
  return {
    manager: name,
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: "FieldsV1",
    fieldsV1: toFieldsV1(set),
    ...(subresource === "" ? {} : { subresource }),
  };
}

import { isJsonMap } from "@rouse/shared";

/** A JSON object that is being worked on. */
export type Draft = Record<string, unknown>;

/** A copy to work on, all the way down. */
export function draftOf(object: object): Draft {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, copyOf(value)]));
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  return isJsonMap(value) ? draftOf(value) : value;
}

/** The map in that member, made if it is not there. */
export function mapIn(draft: Draft, name: string): Draft {
  const value = draft[name];
  if (isDraft(value)) return value;
  const made: Draft = {};
  draft[name] = made;
  return made;
}

/** The maps of the list in that member; none if there is no list. */
export function mapsIn(draft: unknown, name: string): readonly Draft[] {
  const value = isDraft(draft) ? draft[name] : undefined;
  return Array.isArray(value) ? value.filter(isDraft) : [];
}

export function isDraft(value: unknown): value is Draft {
  return isJsonMap(value);
}

/** Gives a member that is absent or empty its default. */
export function fill(draft: Draft, name: string, value: unknown): void {
  const before = draft[name];
  if (before === undefined || before === null || before === "") draft[name] = value;
}

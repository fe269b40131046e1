import type { KubeObject, Stored } from "../object.ts";

/** Any object, with the two members the store itself looks into. */
export interface AnyObject extends KubeObject {
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** Any object as it is stored: frozen all the way down. */
export type StoredObject = Stored<AnyObject>;

/** The same object with other metadata. */
export function withMetadata(object: StoredObject, changes: Partial<StoredObject["metadata"]>): StoredObject {
  return { ...object, metadata: { ...object.metadata, ...changes } };
}

export type JsonMap = Readonly<Record<string, unknown>>;

export function isJsonMap(value: unknown): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The member of that name, if `value` is a map that has it. */
export function memberOf(value: unknown, name: string): unknown {
  return isJsonMap(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The same if it is a text, and not an empty one. */
export function textOf(value: unknown, name: string): string | undefined {
  const member = memberOf(value, name);
  return typeof member === "string" && member !== "" ? member : undefined;
}

/** The numbers and texts at the end of a dotted path of members. */
export function memberAt(value: unknown, path: string): unknown {
  return path.split(".").reduce(memberOf, value);
}

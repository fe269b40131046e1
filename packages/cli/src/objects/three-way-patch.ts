/** A JSON object of a manifest. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The merge patch (RFC 7386) that makes an object what its manifest says now: everything the manifest says, and `null`
 * for what its last version said and this one does not. What others added to the object stays. Lists are replaced
 * whole, as a merge patch can do no other.
 */
export function threeWayPatch(lastApplied: object, wanted: object): JsonObject {
  const last = new Map<string, unknown>(Object.entries(lastApplied));
  const patch = new Map<string, unknown>();
  for (const key of last.keys()) if (!(key in wanted)) patch.set(key, null);
  for (const [key, value] of new Map<string, unknown>(Object.entries(wanted))) {
    const before = last.get(key);
    patch.set(key, isJsonObject(value) ? threeWayPatch(isJsonObject(before) ? before : {}, value) : value);
  }
  return Object.fromEntries(patch);
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

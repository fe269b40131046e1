import { isJsonMap } from "./stored-object.ts";

/** RFC 7396: members are replaced one by one, `null` removes, lists are replaced whole. P-52. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isJsonMap(patch)) return patch;
  const result: Record<string, unknown> = isJsonMap(document) ? { ...document } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (name !== "__proto__") result[name] = applyMergePatch(result[name], value);
  }
  return result;
}

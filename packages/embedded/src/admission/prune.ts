import type { Schema } from "./schema.ts";

/**
 * `value` without the fields its schema does not know, as an API server stores custom resources (P-66). What a schema
 * leaves open stays. The same object comes back when nothing had to go.
 */
export function prune<T>(value: T, schema: Schema): T;
export function prune(value: unknown, schema: Schema): unknown {
  switch (schema.type) {
    case "list":
      return Array.isArray(value) ? pruneList(value, schema.of) : value;
    case "map":
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value)
        ? pruneMembers(value, schema)
        : value;
    default:
      return value;
  }
}

function pruneList(list: readonly unknown[], of: Schema): readonly unknown[] {
  const pruned = list.map((item) => prune(item, of));
  return pruned.every((item, index) => item === list[index]) ? list : pruned;
}

function pruneMembers(value: object, schema: Extract<Schema, { type: "map" | "object" }>): object {
  let isSame = true;
  const kept = Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
    const field = memberSchema(schema, name);
    if (field === "unknown") {
      isSame = false;
      return [];
    }
    const pruned = field === "open" ? member : prune(member, field);
    isSame &&= pruned === member;
    return [[name, pruned]];
  });
  return isSame ? value : Object.fromEntries(kept);
}

function memberSchema(
  schema: Extract<Schema, { type: "map" | "object" }>,
  name: string,
): Schema | "open" | "unknown" {
  if (schema.type === "map") return schema.of;
  const field = Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined;
  return field ?? (schema.isOpen === true ? "open" : "unknown");
}

import {
  type AnyObject,
  invalid,
  isBuiltIn,
  isJsonMap,
  type Kind,
  type KubeObject,
  type StatusCause,
} from "@rouse/shared";
import type { Schema } from "../../admission/schema.ts";
import { customSchema } from "./internal-schemas.ts";

/** A custom resource without what its schema does not know. P-55 */
export interface Pruned {
  readonly object: AnyObject;
  /** Paths of what was left out. */
  readonly unknownFields: readonly string[];
}

export function pruneCustom(kind: Kind<KubeObject>, object: AnyObject): Pruned {
  const unknownFields: string[] = [];
  const { metadata, ...rest } = object;
  const pruned = prune(rest, customSchema(kind), "", unknownFields);
  // Metadata has its own rules, the same for every kind.
  return {
    object: isJsonMap(pruned) ? { ...object, ...without(pruned, object), metadata } : object,
    unknownFields,
  };
}

/** Values whose types are not as the schema of a custom resource says. @throws KubeError `Invalid` */
export function checkCustomTypes(kind: Kind<KubeObject>, object: AnyObject): void {
  const { metadata: _, apiVersion: _v, kind: _k, ...rest } = object;
  if (isBuiltIn(kind)) return;
  const causes = typeCauses(rest, customSchema(kind), "");
  if (causes.length > 0) throw invalid(kind, object.metadata.name, causes);
}

/** Members of `object` that were pruned away become absent. */
function without(
  pruned: Readonly<Record<string, unknown>>,
  object: AnyObject,
): Readonly<Record<string, unknown>> {
  const gone = Object.keys(object).filter((name) => name !== "metadata" && !Object.hasOwn(pruned, name));
  return { ...pruned, ...Object.fromEntries(gone.map((name) => [name, undefined])) };
}

function prune(value: unknown, schema: Schema, path: string, unknown: string[]): unknown {
  if (schema.type === "list" && Array.isArray(value)) {
    return value.map((item, index) => prune(item, schema.of, `${path}[${index}]`, unknown));
  }
  if (!isJsonMap(value)) return value;
  if (schema.type === "map") {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        prune(member, schema.of, join(path, name), unknown),
      ]),
    );
  }
  if (schema.type !== "object") return value;
  const kept: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const field = Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined;
    if (field !== undefined) kept[name] = prune(member, field, join(path, name), unknown);
    else if (schema.isOpen === true) kept[name] = member;
    else unknown.push(join(path, name));
  }
  return kept;
}

function typeCauses(value: unknown, schema: Schema, path: string): readonly StatusCause[] {
  const wrong = (type: string): readonly StatusCause[] => [typeInvalid(path, value, type)];
  switch (schema.type) {
    case "string":
      return typeof value === "string" ? [] : wrong("string");
    case "integer":
      if (Number.isInteger(value)) return [];
      if (typeof value !== "number") return wrong("integer");
      return [
        ...wrong("int64"),
        {
          reason: "FieldValueInvalid",
          message: `Invalid value: "": Checked value must be of type integer with format int64 in ${path}`,
          field: "<nil>",
        },
      ];
    case "boolean":
      return typeof value === "boolean" ? [] : wrong("boolean");
    case "list":
      if (!Array.isArray(value)) return wrong("array");
      return value.flatMap((item, index) => typeCauses(item, schema.of, `${path}[${index}]`));
    case "map":
      if (!isJsonMap(value)) return wrong("object");
      return Object.entries(value).flatMap(([name, member]) =>
        member === null ? [] : typeCauses(member, schema.of, join(path, name)),
      );
    case "object":
      if (!isJsonMap(value)) return wrong("object");
      return [
        ...missing(value, schema.required ?? [], path),
        ...Object.entries(value).flatMap(([name, member]) => {
          const field = Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined;
          return field === undefined || member === null ? [] : typeCauses(member, field, join(path, name));
        }),
      ];
    default:
      return [];
  }
}

function missing(
  value: Readonly<Record<string, unknown>>,
  required: readonly string[],
  path: string,
): readonly StatusCause[] {
  return required
    .filter((name) => name !== "metadata" && (value[name] === undefined || value[name] === null))
    .map((name) => ({ reason: "FieldValueRequired", message: "Required value", field: join(path, name) }));
}

function typeInvalid(field: string, value: unknown, type: string): StatusCause {
  const got = Array.isArray(value) ? "array" : typeof value === "number" ? numberType(value) : typeof value;
  const shown = got === "array" || got === "object" ? "" : `: "${got}"`;
  // A status is looked at from its own root.
  const place = field.replace(/^status\./, "");
  const message = `Invalid value: "${got}": ${place} in body must be of type ${type}${shown}`;
  return { reason: "FieldValueTypeInvalid", message, field };
}

function numberType(value: number): string {
  return Number.isInteger(value) ? "integer" : "float64";
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

import { isJsonMap, type JsonMap, KubeError, parseRfc3339 } from "@rouse/shared";
import {
  type Field,
  type MessageType,
  messageType,
  type ScalarName,
  type ValueType,
} from "./message-types.ts";

/** What is not as a kind has it: members nobody knows, by their paths. */
export interface Normalized {
  readonly value: JsonMap;
  readonly unknownFields: readonly string[];
}

/** A value of a wrong type, or a text that is none of its kind. */
export class WrongTypeError extends Error {
  override readonly name = "WrongTypeError";
}

const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * An object of a compiled-in kind as the reference would hold it: known members alone, empty ones left out or filled
 * in as their type says. P-42
 * @throws WrongTypeError
 */
export function normalizeMessage(name: string, object: JsonMap): Normalized {
  const unknownFields: string[] = [];
  const value = message(messageType(name), object, "", unknownFields);
  return { value, unknownFields };
}

/** Says so as the reference does. P-30 */
export function undecodable(kind: { kind: string; version: string }, why: string): KubeError {
  const { kind: name, version } = kind;
  return new KubeError(
    "BadRequest",
    `${name} in version "${version}" cannot be handled as a ${name}: ${why}`,
  );
}

function message(type: MessageType, object: JsonMap, path: string, unknown: string[]): JsonMap {
  const result: Record<string, unknown> = {};
  for (const name of Object.keys(object)) {
    if (type.byName.has(name) || (path === "" && (name === "apiVersion" || name === "kind"))) continue;
    unknown.push(join(path, name));
  }
  for (const field of type.fields) fill(result, field, object, path, unknown);
  return result;
}

function fill(
  result: Record<string, unknown>,
  field: Field,
  object: JsonMap,
  path: string,
  unknown: string[],
): void {
  if (field.presence === "inline" && field.type.kind === "message") {
    for (const inner of messageType(field.type.message).fields) fill(result, inner, object, path, unknown);
    return;
  }
  const { name, type, presence } = field;
  const sent = Object.hasOwn(object, name) ? object[name] : undefined;
  if (sent === undefined || sent === null) {
    if (presence === "always") result[name] = emptyOf(type);
    return;
  }
  const value = convert(type, sent, join(path, name), unknown);
  if (presence === "dropped" && isEmpty(value)) return;
  result[name] = value;
}

function convert(type: ValueType, value: unknown, path: string, unknown: string[]): unknown {
  switch (type.kind) {
    case "any":
      return value;
    case "scalar":
      return scalar(type.scalar, value, path);
    case "message":
      if (!isJsonMap(value)) throw wrongType(value, path, "an object");
      return message(messageType(type.message), value, path, unknown);
    case "list":
      if (!Array.isArray(value)) throw wrongType(value, path, "a list");
      return value.map((item, index) => {
        if (item === null) return emptyOf(type.of);
        return convert(type.of, item, `${path}[${index}]`, unknown);
      });
    case "map":
      if (!isJsonMap(value)) throw wrongType(value, path, "an object");
      return Object.fromEntries(
        Object.entries(value).map(([key, member]) => [
          key,
          member === null ? emptyOf(type.of) : convert(type.of, member, join(path, key), unknown),
        ]),
      );
  }
}

function scalar(name: ScalarName, value: unknown, path: string): unknown {
  switch (name) {
    case "s":
      if (typeof value !== "string") throw wrongType(value, path, "type string");
      return value;
    case "i":
      if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType(value, path, "type int64");
      return value;
    case "b":
      if (typeof value !== "boolean") throw wrongType(value, path, "type bool");
      return value;
    case "y":
      if (typeof value !== "string" || !BASE64.test(value)) throw wrongType(value, path, "base64 data");
      return value;
    case "q":
      if (typeof value !== "string" && typeof value !== "number") throw wrongType(value, path, "a quantity");
      return String(value);
    case "p":
      if (typeof value !== "string" && !Number.isInteger(value)) throw wrongType(value, path, "IntOrString");
      return value;
    case "t":
      if (typeof value !== "string" || parseRfc3339(value) === undefined)
        throw wrongType(value, path, "a time");
      return value;
    case "u":
      if (typeof value !== "string" || !MICRO_TIME.test(value)) {
        throw badMicroTime(value, path);
      }
      return value;
  }
}

/** In the words of the reference, whose parser stops at the fraction. P-66 */
function badMicroTime(value: unknown, path: string): WrongTypeError {
  if (typeof value !== "string") return wrongType(value, path, "type string");
  const rest = value.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/, "");
  return new WrongTypeError(
    `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05.000000Z07:00": cannot parse ${JSON.stringify(rest)} as ".000000"`,
  );
}

/** What an absent member of that type is where it has to be there. */
function emptyOf(type: ValueType): unknown {
  switch (type.kind) {
    case "message":
      return message(messageType(type.message), {}, " ", []);
    case "list":
      return null;
    case "map":
      return {};
    case "any":
      return null;
    case "scalar":
      switch (type.scalar) {
        case "i":
        case "p":
          return 0;
        case "b":
          return false;
        case "t":
        case "u":
          return null;
        default:
          return "";
      }
  }
}

function isEmpty(value: unknown): boolean {
  if (value === "" || value === 0 || value === false) return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function wrongType(value: unknown, path: string, wanted: string): WrongTypeError {
  const got = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
  return new WrongTypeError(`json: cannot unmarshal ${got} into field ${path} of ${wanted}`);
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

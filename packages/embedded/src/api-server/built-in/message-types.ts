import { messages } from "./messages.ts";

/** Text, whole number, flag, bytes as base64, quantity, seconds or microseconds of time, number or text. */
export type ScalarName = "s" | "i" | "b" | "y" | "q" | "t" | "u" | "p";

export type ValueType =
  | { readonly kind: "scalar"; readonly scalar: ScalarName }
  | { readonly kind: "message"; readonly message: string }
  | { readonly kind: "list"; readonly of: ValueType; readonly mergeKey: string | undefined }
  | { readonly kind: "map"; readonly of: ValueType }
  /** Kept as it is: nothing here looks into it, and protobuf bodies leave it out. */
  | { readonly kind: "any" };

/**
 * What becomes of a member's empty value (P-42). `dropped`: it is left out; `kept`: as it was sent, for it is not the
 * same as absent; `always`: it is there whether it was sent or not; `inline`: its members are the parent's.
 */
export type Presence = "dropped" | "kept" | "always" | "inline";

export interface Field {
  readonly name: string;
  /** Number in the protobuf message; 0 = in none. */
  readonly number: number;
  readonly type: ValueType;
  readonly presence: Presence;
}

export interface MessageType {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly byName: ReadonlyMap<string, Field>;
  readonly byNumber: ReadonlyMap<number, Field>;
}

const SCALAR = /^[sibyqtup]$/;
const parsed = new Map<string, MessageType>();

/** @throws when there is no message of that name: a mistake in the table, which its test looks for */
export function messageType(name: string): MessageType {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const text = messages[name];
  if (text === undefined) throw new Error(`no message ${name}`);
  const fields = text.split(",").map((part) => parseField(part.trim()));
  const type: MessageType = {
    name,
    fields,
    byName: new Map(fields.flatMap((field) => namesOf(field))),
    byNumber: new Map(fields.map((field) => [field.number, field])),
  };
  parsed.set(name, type);
  return type;
}

export function hasMessage(name: string): boolean {
  return Object.hasOwn(messages, name);
}

/** An inlined message's members are found under their own names. */
function namesOf(field: Field): readonly (readonly [string, Field])[] {
  if (field.presence !== "inline" || field.type.kind !== "message") return [[field.name, field]];
  return [...messageType(field.type.message).byName];
}

function parseField(text: string): Field {
  const [, name = "", number = "0", sign = "", type = ""] = /^(\w+):(\d+) ([*=!^]?)(.+)$/.exec(text) ?? [];
  const presence = sign === "*" ? "kept" : sign === "^" ? "inline" : sign === "" ? "dropped" : "always";
  const value = parseType(type);
  return {
    name,
    number: Number(number),
    type: value,
    presence: presence === "dropped" && value.kind === "message" ? "kept" : presence,
  };
}

function parseType(text: string): ValueType {
  if (text === "?") return { kind: "any" };
  const [, list, mergeKey] = /^\[(.+)\](?:\/(\w*))?$/.exec(text) ?? [];
  if (list !== undefined) return { kind: "list", of: parseType(list), mergeKey };
  const [, map] = /^\{(.+)\}$/.exec(text) ?? [];
  if (map !== undefined) return { kind: "map", of: parseType(map) };
  return SCALAR.test(text)
    ? { kind: "scalar", scalar: scalarName(text) }
    : { kind: "message", message: text };
}

function scalarName(text: string): ScalarName {
  switch (text) {
    case "i":
    case "b":
    case "y":
    case "q":
    case "t":
    case "u":
    case "p":
      return text;
    default:
      return "s";
  }
}

import { TemplateError } from "./lexer.ts";

/** What a template computes with, after Go's kinds. A JavaScript number is an integer; a float says so. */
export type Value = string | number | boolean | null | GoFloat | GoMap | GoObject | readonly Value[];

export class GoFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** A map from text to lists of text: headers, a query. */
export class GoMap {
  readonly entries: ReadonlyMap<string, readonly string[]>;
  /** How a key is written in it. */
  readonly keyOf: (key: string) => string;

  constructor(
    entries: ReadonlyMap<string, readonly string[]>,
    keyOf: (key: string) => string = (key) => key,
  ) {
    this.entries = entries;
    this.keyOf = keyOf;
  }

  get(key: string): string {
    return this.entries.get(this.keyOf(key))?.[0] ?? "";
  }

  sortedKeys(): readonly string[] {
    return [...this.entries.keys()].sort();
  }
}

/** A struct: fields, and methods, which may take arguments. */
export class GoObject {
  readonly #fields: Readonly<Record<string, () => Value>>;
  readonly #methods: Readonly<Record<string, (...args: readonly Value[]) => Value>>;
  readonly #text: () => string;

  constructor(
    fields: Readonly<Record<string, () => Value>>,
    methods: Readonly<Record<string, (...args: readonly Value[]) => Value>> = {},
    text: () => string = () => "{...}",
  ) {
    this.#fields = fields;
    this.#methods = methods;
    this.#text = text;
  }

  member(name: string, args: readonly Value[]): Value {
    const method = Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined;
    if (method !== undefined) return method(...args);
    const field = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
    if (field === undefined) throw new TemplateError(`can't evaluate field ${name}`);
    if (args.length > 0) throw new TemplateError(`${name} has arguments but is not a method`);
    return field();
  }

  toString(): string {
    return this.#text();
  }
}

/** A member of any value: a field, a method, or an entry of a map. */
export function memberOf(value: Value, name: string, args: readonly Value[]): Value {
  if (value instanceof GoObject) return value.member(name, args);
  if (value instanceof GoMap) {
    if (name === "Get" && args.length === 1) return value.get(textArgument(args[0]));
    if (name === "Values" && args.length === 1)
      return value.entries.get(value.keyOf(textArgument(args[0]))) ?? [];
    if (args.length > 0) throw new TemplateError(`${name} is not a method`);
    return value.entries.get(name) ?? [];
  }
  throw new TemplateError(`can't evaluate field ${name}`);
}

/** Whether `if` takes it for true: not empty, not zero. */
export function isTrue(value: Value): boolean {
  if (value instanceof GoFloat) return value.value !== 0;
  if (value instanceof GoMap) return value.entries.size > 0;
  if (value instanceof GoObject) return true;
  if (typeof value === "object" && value !== null) return value.length > 0;
  return value !== null && value !== "" && value !== 0 && value !== false;
}

/** As Go prints it with `%v`. */
export function printed(value: Value): string {
  if (value === null) return "<no value>";
  if (value instanceof GoFloat) return shortestFloat(value.value);
  if (value instanceof GoMap) {
    const entries = value.sortedKeys().map((key) => `${key}:${printed(value.entries.get(key) ?? [])}`);
    return `map[${entries.join(" ")}]`;
  }
  if (value instanceof GoObject) return value.toString();
  if (typeof value === "object") return `[${value.map(printed).join(" ")}]`;
  return String(value);
}

export function textArgument(value: Value | undefined): string {
  if (typeof value !== "string") throw new TemplateError("wrong type for value; expected string");
  return value;
}

/** The shortest digits that read back as the same number; an exponent below 1e-4 and from a million on. */
export function shortestFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa = "", exponentText = "0"] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return plain(value);
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${size}`;
}

function plain(value: number): string {
  const text = String(value);
  if (!text.includes("e")) return text;
  const digits = -Number(text.slice(text.indexOf("e") + 1)) + text.indexOf("e");
  return value.toFixed(Math.min(100, Math.max(0, digits))).replace(/0+$/, "");
}

import { TemplateError } from "./lexer.ts";
import { GoFloat, GoMap, isTrue, printed, textArgument, type Value } from "./value.ts";

type Callable = (args: readonly Value[]) => Value;

/**
 * The functions of Go's templates that a log line has a use for. `and` and `or` are the evaluator's, which does not
 * compute what is not needed.
 */
export const functions: Readonly<Record<string, Callable>> = {
  not: ([value = null]) => !isTrue(value),
  len: ([value = null]) => lengthOf(value),
  index: ([of = null, ...keys]) => keys.reduce<Value>(indexed, of),
  print: (args) => spaced(args),
  println: (args) => `${args.map(printed).join(" ")}\n`,
  printf: ([format, ...args]) => formatted(textArgument(format), args),
  html: (args) => spaced(args).replace(/[&<>"'\0]/g, (char) => HTML[char] ?? char),
  js: (args) => escapedForJs(spaced(args)),
  urlquery: (args) => encodeURIComponent(spaced(args).toWellFormed()).replace(/[!'()*]|%20/g, urlQueryEscape),
  eq: ([first = null, ...others]) => {
    if (others.length === 0) throw new TemplateError("missing argument for comparison");
    return others.some((other) => compare(first, other, true) === 0);
  },
  ne: ([a = null, b = null]) => compare(a, b, true) !== 0,
  lt: ([a = null, b = null]) => compare(a, b) < 0,
  le: ([a = null, b = null]) => compare(a, b) <= 0,
  gt: ([a = null, b = null]) => compare(a, b) > 0,
  ge: ([a = null, b = null]) => compare(a, b) >= 0,
};

export const functionNames: ReadonlySet<string> = new Set([...Object.keys(functions), "and", "or"]);

const HTML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
  "\0": "\uFFFD",
};
/** Longest text one verb may be widened to; more is a mistake or an attack. */
const WIDTH_MAX = 1_000;

/**
 * Text for inside a JavaScript string, and inside a JSON string too: where the reference writes `\'`, which JSON does
 * not know, this writes the same character by its number (E-17).
 */
function escapedForJs(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\\'"<>&=\x00-\x1f\x7f-\xa0\xad\u2028\u2029\ufeff\ufffe\uffff]/g, (char) => {
    if (char === "\\") return "\\\\";
    if (char === '"') return '\\"';
    return `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  });
}

/** Go's `Sprint`: a space between two operands when neither is a string. */
function spaced(args: readonly Value[]): string {
  let text = "";
  for (const [index, value] of args.entries()) {
    const isApart = index > 0 && typeof value !== "string" && typeof args[index - 1] !== "string";
    text += `${isApart ? " " : ""}${printed(value)}`;
  }
  return text;
}

function urlQueryEscape(found: string): string {
  return found === "%20" ? "+" : `%${found.charCodeAt(0).toString(16).toUpperCase()}`;
}

function lengthOf(value: Value): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (value instanceof GoMap) return value.entries.size;
  if (Array.isArray(value)) return value.length;
  throw new TemplateError("len of what has no length");
}

function indexed(of: Value, key: Value): Value {
  if (of instanceof GoMap) return of.entries.get(textArgument(key)) ?? [];
  if (typeof key !== "number") throw new TemplateError("cannot index with this");
  if (typeof of === "string") {
    const byte = Buffer.from(of)[key];
    if (byte === undefined) throw new TemplateError(`index out of range: ${key}`);
    return byte;
  }
  const found = Array.isArray(of) ? of[key] : undefined;
  if (found === undefined) throw new TemplateError(`index out of range: ${key}`);
  return found;
}

/** @param isEquality whether values without an order may be compared */
function compare(a: Value, b: Value, isEquality = false): number {
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (a instanceof GoFloat && b instanceof GoFloat) return a.value - b.value;
  if (isEquality && typeof a === "boolean" && typeof b === "boolean") return a === b ? 0 : 1;
  if (isEquality && (a === null || b === null)) return a === b ? 0 : 1;
  throw new TemplateError("incompatible types for comparison");
}

const VERB = /%([-+ 0#]*)(\d*)(?:\.(\d*))?([a-zA-Z%])/g;

/** Go's `Sprintf` for the verbs v s q d f e g t x X. */
function formatted(format: string, args: readonly Value[]): string {
  let next = 0;
  const text = format.replace(
    VERB,
    (_, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const value = args[next++] ?? null;
      const body = verbText(verb, value, precision === undefined ? undefined : Number(precision || 0), flags);
      const length = Math.min(Number(width || 0), WIDTH_MAX);
      if (flags.includes("-")) return body.padEnd(length);
      if (!flags.includes("0") || typeof value === "string") return body.padStart(length);
      const sign = /^[+-]/.exec(body)?.[0] ?? "";
      return sign + body.slice(sign.length).padStart(length - sign.length, "0");
    },
  );
  return next < args.length ? `${text}%!(EXTRA ${args.slice(next).map(typed).join(", ")})` : text;
}

function verbText(verb: string, value: Value, precision: number | undefined, flags: string): string {
  const plus = (text: string): string => (flags.includes("+") && !text.startsWith("-") ? `+${text}` : text);
  switch (verb) {
    case "v":
      return value === null ? "<nil>" : printed(value);
    case "s":
      if (typeof value === "number" || typeof value === "boolean" || value instanceof GoFloat) break;
      return precision === undefined ? printed(value) : [...printed(value)].slice(0, precision).join("");
    case "q":
      if (typeof value === "string") return JSON.stringify(value);
      break;
    case "d":
      if (typeof value === "number") return plus(String(value));
      break;
    case "t":
      if (typeof value === "boolean") return String(value);
      break;
    case "f":
    case "F":
      if (value instanceof GoFloat) return plus(value.value.toFixed(Math.min(100, precision ?? 6)));
      break;
    case "e":
      if (value instanceof GoFloat) return plus(exponential(value.value, precision ?? 6));
      break;
    case "g":
      if (value instanceof GoFloat) return plus(printed(value));
      break;
    case "x":
    case "X": {
      const hex =
        typeof value === "number"
          ? value.toString(16)
          : typeof value === "string"
            ? Buffer.from(value).toString("hex")
            : undefined;
      if (hex !== undefined) return verb === "X" ? hex.toUpperCase() : hex;
      break;
    }
    default:
  }
  return `%!${verb}(${typed(value)})`;
}

function exponential(value: number, precision: number): string {
  return value
    .toExponential(Math.min(100, precision))
    .replace(/e([+-])(\d+)$/, (_, sign, size) => `e${sign}${size.padStart(2, "0")}`);
}

function typed(value: Value): string {
  if (value === null) return "<nil>";
  if (value instanceof GoFloat) return `float64=${printed(value)}`;
  if (typeof value === "string") return `string=${value}`;
  if (typeof value === "boolean") return `bool=${value}`;
  return typeof value === "number" ? `int=${value}` : printed(value);
}

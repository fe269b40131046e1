/** Numbers and booleans as Go reads them from text: strconv.ParseInt(text, 0, 64) and strconv.ParseBool. Q-12, V-13. */
export type Parsed<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "fault"; readonly details: string };

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const FORMS = [
  { form: /^0[xX](_?[0-9a-fA-F]+)+$/, radix: "0x", skip: 2 },
  { form: /^0[bB](_?[01]+)+$/, radix: "0b", skip: 2 },
  { form: /^0[oO](_?[0-7]+)+$/, radix: "0o", skip: 2 },
  { form: /^0(_?[0-7]+)+$/, radix: "0o", skip: 1 },
  { form: /^(0|[1-9](_?[0-9]+)*)$/, radix: "", skip: 0 },
] as const;
const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"]);
/** Longer than any number that could be in range, underscores included; keeps the patterns cheap. */
const TEXT_LENGTH_MAX = 256;

/** What lies beyond 2^53 is rounded: nothing here is near it. */
export function parseGoInt(text: string): Parsed<number> {
  const isNegative = text.startsWith("-");
  const digits = isNegative || text.startsWith("+") ? text.slice(1) : text;
  const found = digits.length > TEXT_LENGTH_MAX ? undefined : FORMS.find(({ form }) => form.test(digits));
  if (found === undefined) return fault("ParseInt", text, "invalid syntax");
  const size = BigInt(found.radix + digits.slice(found.skip).replaceAll("_", ""));
  const value = isNegative ? -size : size;
  if (value > INT64_MAX || value < INT64_MIN) return fault("ParseInt", text, "value out of range");
  return { kind: "value", value: Number(value) };
}

export function parseGoBool(text: string): Parsed<boolean> {
  if (TRUE.has(text)) return { kind: "value", value: true };
  if (FALSE.has(text)) return { kind: "value", value: false };
  return fault("ParseBool", text, "invalid syntax");
}

function fault(of: string, text: string, because: string): Parsed<never> {
  return { kind: "fault", details: `strconv.${of}: parsing ${JSON.stringify(text)}: ${because}` };
}

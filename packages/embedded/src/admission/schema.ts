/** Shape of a manifest's value, as data. What is not `open` names every field there is. */
export type Schema =
  | { readonly type: "string"; readonly oneOf?: readonly string[] }
  | { readonly type: "integer" }
  | { readonly type: "boolean" }
  /** A port: a number, or the name of one. A quantity: `500m`, or a bare number. */
  | { readonly type: "integer-or-string" | "number-or-string" }
  | { readonly type: "list"; readonly of: Schema; readonly many: string; readonly uniqueBy?: string }
  | { readonly type: "map"; readonly of: Schema; readonly many: string }
  | {
      readonly type: "object";
      readonly fields: Readonly<Record<string, Schema>>;
      readonly required?: readonly string[];
      readonly isOpen?: boolean;
    }
  | { readonly type: "any" };

/** One thing wrong with a value: where (`path` from the object's root), and whether the key or the value is at fault. */
export interface Finding {
  readonly path: string;
  readonly at: "key" | "value";
  readonly message: string;
}

const SHOWN_LENGTH_MAX = 60;
/** Misspellings this far away are still recognised. */
const EDITS_MAX = 2;

/** Everything about `value` that is not as `schema` says. `null` is as good as absent. */
export function checkShape(value: unknown, schema: Schema, path = ""): readonly Finding[] {
  const wrong = (): readonly Finding[] => [
    {
      path,
      at: "value",
      message: `expected ${expectation(schema)}, got ${shown(value)}${hint(value, schema)}`,
    },
  ];
  switch (schema.type) {
    case "any":
      return [];
    case "string":
      if (typeof value !== "string") return wrong();
      return schema.oneOf === undefined || schema.oneOf.includes(value) ? [] : wrong();
    case "integer":
      return Number.isInteger(value) ? [] : wrong();
    case "boolean":
      return typeof value === "boolean" ? [] : wrong();
    case "integer-or-string":
      return typeof value === "string" || Number.isInteger(value) ? [] : wrong();
    case "number-or-string":
      return typeof value === "string" || typeof value === "number" ? [] : wrong();
    case "list":
      return Array.isArray(value) ? checkList(value, schema, path) : wrong();
    case "map":
      if (!isMap(value)) return wrong();
      return Object.entries(value).flatMap(([key, member]) =>
        member === null ? [] : checkShape(member, schema.of, join(path, key)),
      );
    case "object":
      return isMap(value) ? checkObject(value, schema, path) : wrong();
  }
}

function checkList(
  list: readonly unknown[],
  schema: Extract<Schema, { type: "list" }>,
  path: string,
): readonly Finding[] {
  const seen = new Map<unknown, number>();
  return list.flatMap((item, index) => {
    const at = `${path}[${index}]`;
    const findings = checkShape(item, schema.of, at);
    const { uniqueBy } = schema;
    if (uniqueBy === undefined || !isMap(item) || item[uniqueBy] === undefined) return findings;
    const first = seen.get(item[uniqueBy]);
    if (first === undefined) {
      seen.set(item[uniqueBy], index);
      return findings;
    }
    const message = `${shown(item[uniqueBy])} is there twice: ${path}[${first}].${uniqueBy} has it already`;
    return [...findings, { path: join(at, uniqueBy), at: "value", message }];
  });
}

function checkObject(
  object: Readonly<Record<string, unknown>>,
  schema: Extract<Schema, { type: "object" }>,
  path: string,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [name, member] of Object.entries(object)) {
    const field = Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined;
    if (field !== undefined) {
      if (member !== null) findings.push(...checkShape(member, field, join(path, name)));
    } else if (schema.isOpen !== true) {
      const near = nearest(name, Object.keys(schema.fields));
      const guess = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
      findings.push({
        path: join(path, name),
        at: "key",
        message: `unknown field ${JSON.stringify(name)}${guess}`,
      });
    }
  }
  for (const name of schema.required ?? []) {
    if (object[name] !== undefined && object[name] !== null) continue;
    const field = schema.fields[name];
    const what = field === undefined ? "" : `: expected ${expectation(field)}`;
    findings.push({ path: join(path, name), at: "key", message: `missing${what}` });
  }
  return findings;
}

/** What a schema wants, to follow the word "expected". */
function expectation(schema: Schema): string {
  switch (schema.type) {
    case "any":
      return "a value";
    case "string":
      return schema.oneOf === undefined
        ? "a string"
        : `one of ${schema.oneOf.map((text) => JSON.stringify(text)).join(", ")}`;
    case "integer":
      return "a whole number";
    case "boolean":
      return "true or false";
    case "integer-or-string":
      return "a whole number or a name";
    case "number-or-string":
      return "a quantity";
    case "list":
      return `a list of ${schema.many}`;
    case "map":
      return `a map of ${schema.many}`;
    case "object":
      return "a map";
  }
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a map";
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value !== "string") return String(value);
  const isLong = value.length > SHOWN_LENGTH_MAX;
  return `the string ${JSON.stringify(isLong ? `${value.slice(0, SHOWN_LENGTH_MAX)}…` : value)}`;
}

function hint(value: unknown, schema: Schema): string {
  if (schema.type === "string" && (typeof value === "number" || typeof value === "boolean")) {
    return `; put it in quotes: "${value}"`;
  }
  if (schema.type === "list" && schema.of.type === "string" && typeof value === "string") {
    return `; for example [${value
      .split(/\s+/)
      .slice(0, 8)
      .map((word) => JSON.stringify(word))
      .join(", ")}]`;
  }
  if (schema.type === "integer" && typeof value === "string" && /^\d+$/.test(value)) {
    return "; leave out the quotes";
  }
  return "";
}

/** The word closest to a misspelt one, if any is close. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestEdits = Math.min(EDITS_MAX, Math.floor(word.length / 2)) + 1;
  for (const candidate of words) {
    const edits = candidate.toLowerCase() === word.toLowerCase() ? 0 : editDistance(word, candidate);
    if (edits < bestEdits) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}

/** Insertions, deletions and replacements that lead from one word to the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/**
 * Something wrong with fields of an object, in the words of Knative's admission. `paths` are dotted from the object's
 * root, list elements `[i]`. C-146, S-9.
 */
export interface FieldError {
  readonly message: string;
  readonly paths: readonly string[];
  /** A second line that explains or hints. */
  readonly details?: string;
}

/** The message shapes of C-146. */
export const fieldErrors = {
  missing: (...paths: readonly string[]): FieldError => ({ message: "missing field(s)", paths }),
  disallowed: (...paths: readonly string[]): FieldError => ({
    message: "must not set the field(s)",
    paths,
  }),
  invalid: (value: unknown, ...paths: readonly string[]): FieldError => ({
    message: `invalid value: ${String(value)}`,
    paths,
  }),
  neither: (...paths: readonly string[]): FieldError => ({
    message: "expected exactly one, got neither",
    paths,
  }),
  both: (...paths: readonly string[]): FieldError => ({ message: "expected exactly one, got both", paths }),
  key: (key: string, path: string, details: string): FieldError => ({
    message: `invalid key name ${JSON.stringify(key)}`,
    paths: [path],
    details,
  }),
  /** Bounds and value as texts: durations are shown in their canonical form, values as they were written (S-13). */
  range: (
    value: string | number,
    bounds: readonly [string | number, string | number],
    path: string,
  ): FieldError => ({
    message: `expected ${bounds[0]} <= ${value} <= ${bounds[1]}`,
    paths: [path],
  }),
  text: (message: string, ...paths: readonly string[]): FieldError => ({ message, paths }),
} as const;

/** The same errors, said of an object that holds the first one at `path`. */
export function under(path: string, errors: readonly FieldError[]): readonly FieldError[] {
  return errors.map((error) => ({
    ...error,
    paths: error.paths.map((inner) => {
      if (inner === "") return path;
      return inner.startsWith("[") ? `${path}${inner}` : `${path}.${inner}`;
    }),
  }));
}

/**
 * One text of several errors: sorted by message, those that say the same merged with their paths sorted, one per line,
 * details on a line of their own. C-146
 */
export function fieldErrorText(errors: readonly FieldError[]): string {
  const merged = new Map<string, { readonly error: FieldError; readonly paths: Set<string> }>();
  for (const error of errors) {
    const key = `${error.message}\n${error.details ?? ""}`;
    const same = merged.get(key) ?? { error, paths: new Set<string>() };
    for (const path of error.paths) same.paths.add(path);
    merged.set(key, same);
  }
  return [...merged]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { error, paths }]) => {
      const line = `${error.message}: ${[...paths].sort().join(", ")}`;
      return error.details === undefined ? line : `${line}\n${error.details}`;
    })
    .join("\n");
}

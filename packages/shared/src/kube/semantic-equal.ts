/** Members that say when, not what: two states that differ only here are the same state (C-10 step 6). */
const TIMESTAMPS: ReadonlySet<string> = new Set(["lastTransitionTime"]);
const NOTHING_IGNORED: ReadonlySet<string> = new Set();

/** Whether two JSON values mean the same: absent, null, empty list and empty map are equal at any depth. C-13. */
export function semanticEqual(a: unknown, b: unknown): boolean {
  return areEqual(a, b, NOTHING_IGNORED);
}

/** As `semanticEqual`, with every `lastTransitionTime` left out of the comparison. */
export function sameState(a: unknown, b: unknown): boolean {
  return areEqual(a, b, TIMESTAMPS);
}

function areEqual(a: unknown, b: unknown, ignored: ReadonlySet<string>): boolean {
  if (a === b) return true;
  if (isNothing(a, ignored) || isNothing(b, ignored)) return isNothing(a, ignored) && isNothing(b, ignored);
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => areEqual(item, b[index], ignored))
    );
  }
  if (!isMap(a) || !isMap(b)) return false;
  // Without lists of keys: a pass over an unchanged object compares it whole, and most passes change nothing.
  for (const key in a) {
    if (Object.hasOwn(a, key) && !ignored.has(key) && !areEqual(a[key], b[key], ignored)) return false;
  }
  for (const key in b) {
    if (Object.hasOwn(b, key) && !Object.hasOwn(a, key) && !ignored.has(key) && !isNothing(b[key], ignored))
      return false;
  }
  return true;
}

/** Nothing is said by it: absent, null, an empty list, or a map of nothing but such. */
function isNothing(value: unknown, ignored: ReadonlySet<string>): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (!isMap(value)) return false;
  for (const key in value) {
    if (Object.hasOwn(value, key) && !ignored.has(key) && !isNothing(value[key], ignored)) return false;
  }
  return true;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A ConfigMap that cannot be used as a whole; the previous one stays in force. C-25, S-5. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

export type Data = Readonly<Record<string, string>>;

/** The first of `keys` that is present: newer spelling first. */
export function readText(data: Data, keys: string | readonly string[]): string | undefined {
  for (const key of typeof keys === "string" ? [keys] : keys) {
    const text = data[key]?.trim();
    if (text !== undefined && text !== "") return text;
  }
  return undefined;
}

/** @throws SettingsError unless absent or a whole number in [min, max] */
export function readInteger(
  data: Data,
  keys: string | readonly string[],
  range: { readonly fallback: number; readonly min: number; readonly max?: number },
): number {
  const text = readText(data, keys);
  if (text === undefined) return range.fallback;
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= range.min && value <= (range.max ?? Number.MAX_SAFE_INTEGER))) {
    throw new SettingsError(`${String(keys)}: expected a whole number from ${range.min}, got "${text}"`);
  }
  return value;
}

const TRUE = new Set(["1", "t", "true"]);
const FALSE = new Set(["0", "f", "false"]);

/** @throws SettingsError unless absent or a boolean literal in any casing. S-4 */
export function readBoolean(data: Data, key: string, fallback: boolean): boolean {
  const text = readText(data, key)?.toLowerCase();
  if (text === undefined) return fallback;
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw new SettingsError(`${key}: expected true or false, got "${text}"`);
}

/** A feature flag is lenient: what it does not know leaves the default. C-154. */
export function isEnabled(data: Data, key: string): boolean {
  return readText(data, key)?.toLowerCase() === "enabled";
}

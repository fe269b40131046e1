/** Kubernetes' suffixes as a fraction of whole units: `[numerator, denominator]`. */
const SUFFIXES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  n: [1n, 1_000_000_000n],
  u: [1n, 1_000_000n],
  m: [1n, 1_000n],
  "": [1n, 1n],
  k: [10n ** 3n, 1n],
  M: [10n ** 6n, 1n],
  G: [10n ** 9n, 1n],
  T: [10n ** 12n, 1n],
  P: [10n ** 15n, 1n],
  E: [10n ** 18n, 1n],
  Ki: [2n ** 10n, 1n],
  Mi: [2n ** 20n, 1n],
  Gi: [2n ** 30n, 1n],
  Ti: [2n ** 40n, 1n],
  Pi: [2n ** 50n, 1n],
  Ei: [2n ** 60n, 1n],
};
const BINARY: readonly (readonly [string, bigint])[] = [
  ["Gi", 2n ** 30n],
  ["Mi", 2n ** 20n],
  ["Ki", 2n ** 10n],
];
const QUANTITY = /^([+-]?)(\d+)(?:\.(\d+))?(?:([numkMGTPE]|[KMGTPE]i)|e([+-]?\d{1,2}))?$/;

/** A quantity in thousandths of its unit, rounded up as Kubernetes does; `undefined` for a text that is none. */
export function parseMilli(text: string): bigint | undefined {
  const match = QUANTITY.exec(text.trim());
  if (match === null) return undefined;
  const [, sign, whole = "0", fraction = "", suffix = "", exponent = "0"] = match;
  const [numerator, denominator] = SUFFIXES[suffix] ?? [1n, 1n];
  const power = BigInt(exponent);
  const scaled = BigInt(whole + fraction) * numerator * 1_000n * (power > 0n ? 10n ** power : 1n);
  const divisor = 10n ** BigInt(fraction.length) * denominator * (power < 0n ? 10n ** -power : 1n);
  const milli = (scaled + divisor - 1n) / divisor;
  return sign === "-" ? -milli : milli;
}

/** The shortest usual way to write so many thousandths: whole units where it can, with a binary suffix for memory. */
export function formatMilli(milli: bigint, resource: "cpu" | "bytes"): string {
  if (milli % 1_000n !== 0n) return `${milli}m`;
  const units = milli / 1_000n;
  const binary =
    resource === "bytes" ? BINARY.find(([, size]) => units !== 0n && units % size === 0n) : undefined;
  return binary === undefined ? String(units) : `${units / binary[1]}${binary[0]}`;
}

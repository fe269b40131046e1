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
const QUANTITY = /^([+-]?)(\d+)?(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/;

/** A quantity as a plain number: `250m` is 0.25, `50Mi` is 52428800; `undefined` for a text that is none. */
export function parseQuantity(text: string): number | undefined {
  const fraction = parseFraction(text);
  return fraction === undefined ? undefined : Number(fraction.numerator) / Number(fraction.denominator);
}

/** A quantity in thousandths of its unit, rounded up as Kubernetes does; `undefined` for a text that is none. */
export function parseMilli(text: string): bigint | undefined {
  const fraction = parseFraction(text);
  if (fraction === undefined) return undefined;
  const { numerator, denominator } = fraction;
  const thousandths = numerator * 1_000n;
  // Away from zero, on both sides of it.
  const rest = thousandths % denominator;
  const away = rest === 0n ? 0n : rest > 0n ? 1n : -1n;
  return thousandths / denominator + away;
}

/** The shortest usual way to write so many thousandths: whole units where it can, with a binary suffix for memory. */
export function formatMilli(milli: bigint, resource: "cpu" | "bytes"): string {
  if (milli % 1_000n !== 0n) return `${milli}m`;
  const units = milli / 1_000n;
  const binary =
    resource === "bytes" ? BINARY.find(([, size]) => units !== 0n && units % size === 0n) : undefined;
  return binary === undefined ? String(units) : `${units / binary[1]}${binary[0]}`;
}

function parseFraction(
  text: string,
): { readonly numerator: bigint; readonly denominator: bigint } | undefined {
  const match = QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", decimals = "", suffix = "", exponent = "0"] = match;
  if (whole === "" && decimals === "") return undefined;
  const [numerator, denominator] = SUFFIXES[suffix] ?? [1n, 1n];
  const power = BigInt(exponent);
  const scaled = BigInt(whole + decimals) * numerator * (power > 0n ? 10n ** power : 1n);
  return {
    numerator: sign === "-" ? -scaled : scaled,
    denominator: 10n ** BigInt(decimals.length) * denominator * (power < 0n ? 10n ** -power : 1n),
  };
}

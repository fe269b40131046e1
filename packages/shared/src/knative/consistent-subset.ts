/** Positions on the circle elements are placed on. */
const UNIVERSE = 2_048;
/** As the slots fill up, the search for a free one takes ever longer; beyond this many elements the rest is left out. */
const PLACED_MAX = 2_000;

/**
 * `count` elements of `elements` for `target`: the same ones on every machine and in any input order, other ones for
 * other targets; a larger count extends a smaller one. Duplicates count once. With `count` at or above their number,
 * all of them. Source: S-134, K-37 (FNV-1a 64, angle stepping over 2048 slots).
 */
export function consistentSubset(
  elements: Iterable<string>,
  options: { readonly count: number; readonly target: string },
): ReadonlySet<string> {
  const { count, target } = options;
  const all = new Set(elements);
  if (count >= all.size) return all;
  const { slots, names } = place(all, target);
  const step = slotOf(fnv1a(`${target}step-angle-salt`));
  let angle = slotOf(fnv1a(`${target}start-angle-salt`));
  const chosen = new Set<string>();
  for (let pick = 0; pick < Math.min(count, slots.length); pick++) {
    let at = firstAtOrAfter(slots, angle);
    for (let name = names[at]; name !== undefined && chosen.has(name); name = names[at]) {
      at = (at + 1) % slots.length;
    }
    const name = names[at];
    if (name !== undefined) chosen.add(name);
    angle = (angle + step) % UNIVERSE;
  }
  return chosen;
}

interface Circle {
  /** Ascending. */
  readonly slots: readonly number[];
  /** The element at each of `slots`. */
  readonly names: readonly string[];
}

function place(all: ReadonlySet<string>, target: string): Circle {
  const bySlot = new Map<number, string>();
  for (const element of [...all].sort().slice(0, PLACED_MAX)) {
    let text = element + target;
    let hash = fnv1a(text);
    while (bySlot.has(slotOf(hash))) {
      text += hexOf(hash);
      hash = fnv1a(text);
    }
    bySlot.set(slotOf(hash), element);
  }
  const placed = [...bySlot].sort(([a], [b]) => a - b);
  return { slots: placed.map(([slot]) => slot), names: placed.map(([, name]) => name) };
}

function firstAtOrAfter(slots: readonly number[], angle: number): number {
  const found = slots.findIndex((slot) => slot >= angle);
  return found === -1 ? 0 : found;
}

/** A 64-bit number as two unsigned halves: BigInt costs ten times as much per byte. */
interface Hash {
  readonly high: number;
  readonly low: number;
}

const OFFSET: Hash = { high: 0xcbf29ce4, low: 0x84222325 };
/** The prime is 2^40 + 0x1b3; its low part is multiplied, its high part is a shift. */
const PRIME_LOW = 0x1b3;
const HALF = 0x1_0000_0000;
const utf8 = new TextEncoder();

function fnv1a(text: string): Hash {
  let { high, low } = OFFSET;
  for (const byte of utf8.encode(text)) {
    const mixed = (low ^ byte) >>> 0;
    const product = mixed * PRIME_LOW; // below 2^41, exact
    const shifted = (mixed << 8) >>> 0;
    high = (high * PRIME_LOW + Math.floor(product / HALF) + shifted) % HALF;
    low = product % HALF;
  }
  return { high, low };
}

function slotOf(hash: Hash): number {
  return hash.low % UNIVERSE;
}

/** Lower case, without leading zeros. */
function hexOf({ high, low }: Hash): string {
  return high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(8, "0");
}

/** Bits of one word, and how often a position is halved to find its word. */
const WORD_BITS = 32;
const WORD_SHIFT = 5;
const ALL_BITS = 0xffff_ffff;

/**
 * Which of so many positions are free. The next free one is found in as many steps as there are levels of 32, three
 * for 10,000, however many are taken: a pick must not walk past every busy pod.
 */
export class FreePositions {
  /** A bit per position; above, a bit per word that has any. */
  readonly #levels: readonly Uint32Array[];
  readonly size: number;
  #count = 0;

  /** None is free. */
  constructor(size: number) {
    const levels: Uint32Array[] = [];
    for (let bits = size; ; ) {
      const words = Math.max(1, Math.ceil(bits / WORD_BITS));
      levels.push(new Uint32Array(words));
      if (words === 1) break;
      bits = words;
    }
    this.#levels = levels;
    this.size = size;
  }

  get count(): number {
    return this.#count;
  }

  has(position: number): boolean {
    return (((this.#levels[0]?.[position >>> WORD_SHIFT] ?? 0) >>> (position % WORD_BITS)) & 1) === 1;
  }

  add(position: number): void {
    if (this.has(position)) return;
    this.#count++;
    let at = position;
    for (const words of this.#levels) {
      const word = at >>> WORD_SHIFT;
      const before = words[word] ?? 0;
      words[word] = before | (1 << (at % WORD_BITS));
      if (before !== 0) return;
      at = word;
    }
  }

  delete(position: number): void {
    if (!this.has(position)) return;
    this.#count--;
    let at = position;
    for (const words of this.#levels) {
      const word = at >>> WORD_SHIFT;
      const left = (words[word] ?? 0) & ~(1 << (at % WORD_BITS));
      words[word] = left;
      if (left !== 0) return;
      at = word;
    }
  }

  /** The first free position from `from` on; −1 if there is none. */
  nextFrom(from: number): number {
    let at = from;
    for (let level = 0; level < this.#levels.length; level++) {
      const words = this.#levels[level];
      const word = at >>> WORD_SHIFT;
      if (words === undefined || word >= words.length) return -1;
      const rest = (words[word] ?? 0) & (ALL_BITS << (at % WORD_BITS));
      if (rest !== 0) return this.#descend(level, (word << WORD_SHIFT) + lowestBit(rest));
      at = word + 1;
    }
    return -1;
  }

  /** The first free position from `from` on, and round from the beginning; −1 if there is none. */
  nextAround(from: number): number {
    const after = this.nextFrom(from);
    return after < 0 ? this.nextFrom(0) : after;
  }

  #descend(level: number, from: number): number {
    let at = from;
    for (let below = level - 1; below >= 0; below--) {
      at = (at << WORD_SHIFT) + lowestBit(this.#levels[below]?.[at] ?? 0);
    }
    return at;
  }
}

function lowestBit(word: number): number {
  return WORD_BITS - 1 - Math.clz32(word & -word);
}

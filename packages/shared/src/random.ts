/** Chance, as everything here sees it. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform whole number in [min, max], both ends included. */
  integer(min: number, max: number): number;
  /** `true` with the given probability. */
  chance(probability: number): boolean;
}

abstract class RandomBase implements Random {
  abstract next(): number;

  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }
}

/** The engine's own generator. Not for secrets. */
export class RealRandom extends RandomBase {
  next(): number {
    return Math.random();
  }
}

/** The same numbers for the same seed, on every machine (mulberry32). */
export class SeededRandom extends RandomBase {
  #state: number;

  constructor(seed: number) {
    super();
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}

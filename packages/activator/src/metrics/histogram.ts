/** Bounds of the contract's durations, in seconds. A §3.6. */
export const durationBounds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** Counts values by fixed bounds. Observing allocates nothing. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** Values at or below each bound and above the one before; last those above all. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[] = durationBounds) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] ?? 0)) at++;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  get count(): number {
    return this.#counts.reduce((sum, each) => sum + each, 0);
  }

  get sum(): number {
    return this.#sum;
  }

  /** Of each bound, how many values are at or below it; last of `+Inf`. */
  cumulative(): readonly (readonly [bound: string, count: number])[] {
    let count = 0;
    return [...this.#bounds.map(String), "+Inf"].map((bound, at) => {
      count += this.#counts[at] ?? 0;
      return [bound, count] as const;
    });
  }
}

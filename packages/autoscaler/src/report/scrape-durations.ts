import type { HistogramSample } from "./exposition.ts";

/** S-128. */
export const SCRAPE_BOUNDS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;

/** How long asking a revision's pods took. */
export class ScrapeDurations {
  readonly #counts = new Array<number>(SCRAPE_BOUNDS.length + 1).fill(0);
  #sum = 0;

  observe(seconds: number): void {
    const found = SCRAPE_BOUNDS.findIndex((bound) => seconds <= bound);
    const bucket = found === -1 ? SCRAPE_BOUNDS.length : found;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += seconds;
  }

  sample(): HistogramSample {
    return { bounds: SCRAPE_BOUNDS, counts: [...this.#counts], sum: this.#sum };
  }
}

import type { Labels } from "./labels.ts";

/** One set of labels of a family, with what was seen under it. */
export interface HistogramSeries {
  readonly labels: Labels;
  /** Per bucket, not added up; the last one is above all bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** Which series of a family; made by `series`. */
export type SeriesId = number;

/** Sets of labels of one family, as in the reference's libraries, and keys of them. Further ones share one series. */
const SERIES_MAX = 2_000;
const OVERFLOW: Labels = [["otel.metric.overflow", true]];

/**
 * Counts by buckets, for many sets of labels in one typed array. Observing allocates nothing; a new set of labels grows
 * the array, up to a bound.
 */
export class Histogram {
  readonly bounds: Float64Array;
  readonly #width: number;
  #cells: Float64Array;
  readonly #labels: Labels[] = [];
  readonly #ids = new Map<string, SeriesId>();
  #overflow: SeriesId | undefined;

  constructor(bounds: readonly number[]) {
    this.bounds = Float64Array.from(bounds);
    this.#width = bounds.length + 2; // buckets, the one above, the sum
    this.#cells = new Float64Array(this.#width);
  }

  /** @param key names the set of labels, as others may too; `labels` is asked for when it is new */
  series(key: string, labels: () => Labels): SeriesId {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.#ids.size >= SERIES_MAX) {
      this.#overflow ??= this.#add(OVERFLOW);
      return this.#overflow;
    }
    const found = labels();
    const id = this.#idOf(found) ?? this.#add(found);
    this.#ids.set(key, id);
    return id;
  }

  observe(series: SeriesId, value: number): void {
    const at = series * this.#width;
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
    this.#cells[at + bucket] = (this.#cells[at + bucket] ?? 0) + 1;
    const sumAt = at + bounds.length + 1;
    this.#cells[sumAt] = (this.#cells[sumAt] ?? 0) + value;
  }

  *all(): IterableIterator<HistogramSeries> {
    for (const [id, labels] of this.#labels.entries()) {
      const at = id * this.#width;
      const counts = [...this.#cells.subarray(at, at + this.bounds.length + 1)];
      const count = counts.reduce((total, one) => total + one, 0);
      yield { labels, counts, sum: this.#cells[at + this.bounds.length + 1] ?? 0, count };
    }
  }

  /** Keys tell apart what labels may not, such as the hosts `a` and `a:80`; a series told twice is lost on readers. */
  #idOf(labels: Labels): SeriesId | undefined {
    const id = this.#labels.findIndex((known) => isSame(known, labels));
    return id === -1 ? undefined : id;
  }

  #add(labels: Labels): SeriesId {
    const id = this.#labels.length;
    this.#labels.push(labels);
    if ((id + 1) * this.#width > this.#cells.length) {
      const larger = new Float64Array(this.#cells.length * 2);
      larger.set(this.#cells);
      this.#cells = larger;
    }
    return id;
  }
}

function isSame(a: Labels, b: Labels): boolean {
  return a.length === b.length && a.every(([name, value], at) => name === b[at]?.[0] && value === b[at]?.[1]);
}

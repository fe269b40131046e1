/** One figure. `baseline` is the same figure of what it is compared with, taken in the same run on the same machine. */
export interface Result {
  readonly metric: string;
  readonly unit: string;
  readonly value: number;
  /** Half the distance between the quartiles of what `value` was taken from, in the same unit. */
  readonly spread: number | null;
  readonly baseline: number | null;
  /** `value / baseline`. */
  readonly ratio: number | null;
}

export interface BenchmarkOptions {
  /** Small enough for a test run; the figures are rougher. */
  readonly isQuick: boolean;
  /** The repository's root. */
  readonly root: string;
  /** One of the benchmark's `targets`, to be measured beside its baseline alone. */
  readonly target?: string;
  /** One of the benchmark's `scenarios`, to be run alone. */
  readonly scenario?: string;
  /** What is going on, for a person waiting. */
  readonly progress: (line: string) => void;
}

export interface Benchmark {
  readonly name: string;
  /** What it finds out. */
  readonly question: string;
  /** What `--target` and `--scenario` may name; without them there is nothing to choose. */
  readonly targets?: readonly string[];
  readonly scenarios?: readonly string[];
  run(options: BenchmarkOptions): Promise<readonly Result[]>;
}

/** A figure on its own, or beside its baseline. */
export function result(
  metric: string,
  unit: string,
  value: number,
  more: { readonly spread?: number; readonly baseline?: number } = {},
): Result {
  const { spread = null, baseline = null } = more;
  return {
    metric,
    unit,
    value: round(value),
    spread: spread === null ? null : round(spread),
    baseline: baseline === null ? null : round(baseline),
    ratio: baseline === null || baseline === 0 ? null : round(value / baseline),
  };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

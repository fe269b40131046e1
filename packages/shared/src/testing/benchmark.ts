/** A small benchmark beside what it measures. `run` does `count` rounds and returns a number that depends on the work. */
export interface Benchmark {
  readonly name: string;
  /** Rounds when the test suite runs it, so that it cannot rot. */
  readonly small: number;
  /** Rounds when somebody wants the number. */
  readonly full: number;
  readonly run: (count: number) => number;
}

/** Names a piece of work to be measured. What runs it, and how it is reported, is the caller's. */
export function benchmark(
  name: string,
  sizes: { readonly small: number; readonly full: number },
  run: (count: number) => number,
): Benchmark {
  return { name, ...sizes, run };
}

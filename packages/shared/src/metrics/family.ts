import type { HistogramSeries } from "./histogram.ts";
import type { Labels } from "./labels.ts";

/** One metric with all its series, under both of its names. What is exported, by whichever protocol. */
export type Family = FamilyName &
  (
    | { readonly kind: "histogram"; readonly histogram: SeriesOfBuckets }
    | { readonly kind: "gauge" | "counter"; readonly read: () => readonly Sample[] }
  );

export interface FamilyName {
  /** In OpenTelemetry; empty for a metric only Prometheus has. */
  readonly otelName: string;
  readonly prometheusName: string;
  readonly help: string;
  /** In OpenTelemetry's words: `s`, `By`. */
  readonly unit: string;
  /** Instrumentation scope; empty for metrics of the process. */
  readonly scope: string;
}

/** All series of a histogram, whoever keeps them. */
export interface SeriesOfBuckets {
  readonly bounds: Iterable<number>;
  all(): Iterable<HistogramSeries>;
}

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** Seconds. Q-133 "B1" */
export const SECONDS_BOUNDS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
/** Bytes. Q-133 "B2" */
export const BYTES_BOUNDS: readonly number[] = [
  0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000,
];

/** Milliseconds; durations of releases up to 1.18. */
export const OLD_MS_BOUNDS: readonly number[] = [
  5, 10, 20, 40, 60, 80, 100, 150, 200, 250, 300, 350, 400, 450, 500, 600, 700, 800, 900, 1_000, 2_000, 5_000,
  10_000, 20_000, 50_000, 100_000,
];

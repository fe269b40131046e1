import type { MonoMs } from "../clock/clock.ts";

/** How a window turns its seconds into one number: `metric-aggregation-algorithm`, S-61. */
export type AggregationAlgorithm = "linear" | "weighted-exponential";

/** The average of what was recorded in the last seconds. Time is passed in; there is no timer. */
export interface TimedWindow {
  /** Length. */
  readonly seconds: number;
  /** Adds to the second `at` falls in. Older than the window: ignored. */
  record(value: number, at: MonoMs): void;
  average(now: MonoMs): number;
  /** Whole seconds since the newest value; `Infinity` if there is none. */
  silentSeconds(now: MonoMs): number;
  /** Whether the newest value is more than one window old. S-62. */
  isEmpty(now: MonoMs): boolean;
  /** The values it knows of, newest first: `silentSeconds` old, one more each. */
  recent(): readonly number[];
  /** Changes the length, keeping what fits. S-63. */
  resize(seconds: number, now: MonoMs): void;
}

import { describe, expect, test } from "vitest";
import { defaultAutoscalerConfig } from "../config/autoscaler-config.ts";
import { activatorCount } from "./burst-capacity.ts";
import { targets } from "./decider-spec.ts";

describe("target and total of one pod (V-40, S-7, S-69…S-71)", () => {
  interface Row {
    readonly cc?: number;
    readonly fraction?: number;
    readonly preset?: number;
    readonly metric?: "concurrency" | "rps";
    readonly target?: number;
    readonly utilization?: number;
    readonly want: readonly [target: number, total: number];
  }
  const rows: readonly Row[] = [
    { want: [100, 100] },
    { fraction: 0.8, want: [80, 100] },
    { fraction: 0.3, preset: 2, want: [0.6, 2] },
    { cc: 12, fraction: 0.8, utilization: 0.75, want: [9, 12] },
    { cc: 10, fraction: 0.8, want: [8, 10] },
    { target: 1, fraction: 0.001, want: [0.01, 1] },
    { target: 10, fraction: 0.75, want: [7.5, 10] },
    { cc: 10, target: 1, want: [1, 1] },
    { cc: 1, target: 10, want: [1, 1] },
    { target: 500, want: [500, 500] },
    { metric: "rps", want: [140, 200] },
    { metric: "rps", target: 1, want: [0.7, 1] },
    { metric: "rps", utilization: 0.75, want: [150, 200] },
    { metric: "rps", target: 300, want: [210, 300] },
  ];
  test.each(rows)(
    "%o",
    ({ cc = 0, fraction = 1, preset = 100, metric = "concurrency", target, utilization, want }) => {
      const config = {
        ...defaultAutoscalerConfig,
        concurrencyTargetFraction: fraction,
        concurrencyTargetDefault: preset,
      };
      const got = targets(cc, { metric, target, targetFraction: utilization }, config);
      expect(got.targetValue).toBeCloseTo(want[0], 9);
      expect(got.totalValue).toBe(want[1]);
    },
  );
});

test.each([
  { ready: 0, burst: 200, want: 2 },
  { ready: 1, burst: 200, want: 3 },
  { ready: 15, burst: 200, want: 17 },
  { ready: 100, burst: 0, want: 2 },
  { ready: 5, burst: -1, want: 5 },
  { ready: 1, burst: 211, want: 4 },
  { ready: 8, burst: 211, want: 11 },
])(
  "$ready pods and burst $burst take $want activators (V-41, W-16, K-64, S-100)",
  ({ ready, burst, want }) => {
    expect(activatorCount({ totalValue: 100, targetBurstCapacity: burst }, ready, 100)).toBe(want);
  },
);

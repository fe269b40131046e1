import { describe, expect, test } from "vitest";
import { boundedScale, minReadyPods, scaleBounds } from "./bounds.ts";

test.each([
  { min: 1, max: 100, isReachable: false, want: { min: 0, max: 100 } },
  { min: 1, max: 5, isReachable: true, want: { min: 1, max: 5 } },
])("min $min, max $max, reachable $isReachable (V-43, S-94)", ({ min, max, isReachable, want }) => {
  expect(scaleBounds({ minScale: min, maxScale: max }, isReachable)).toEqual(want);
});

describe("V-45, S-93, S-95: bounds at apply", () => {
  type Situation = Parameters<typeof boundedScale>[0];
  const base: Situation = {
    desiredPods: 0,
    activity: "active",
    bounds: { min: 0, max: 0 },
    initialScale: 1,
    isInitialized: true,
    isReachable: true,
  };
  interface Row {
    readonly when: string;
    readonly given: Partial<Situation>;
    readonly pods: number | undefined;
    readonly cut?: string;
  }
  const rows: readonly Row[] = [
    { when: "want 0, min 2", given: { bounds: { min: 2, max: 0 } }, pods: 2, cut: "min-scale" },
    {
      when: "want 0, min 2, unreachable",
      given: { bounds: scaleBounds({ minScale: 2, maxScale: 0 }, false) },
      pods: 0,
    },
    {
      when: "want 10, max 8",
      given: { desiredPods: 10, bounds: { min: 0, max: 8 } },
      pods: 8,
      cut: "max-scale",
    },
    { when: "unknown, inactive", given: { desiredPods: undefined, activity: "inactive" }, pods: undefined },
    { when: "unknown, active", given: { desiredPods: undefined, activity: "active" }, pods: undefined },
    {
      when: "unknown, activating, min 2 (S-96)",
      given: { desiredPods: undefined, activity: "activating", bounds: { min: 2, max: 0 } },
      pods: 2,
      cut: "min-scale",
    },
    {
      when: "want 1, initial 2, not initialised",
      given: { desiredPods: 1, initialScale: 2, isInitialized: false },
      pods: 2,
      cut: "initial-scale",
    },
    {
      when: "want 1, initial 2, not initialised, unreachable (S-95)",
      given: { desiredPods: 1, initialScale: 2, isInitialized: false, isReachable: false },
      pods: 1,
    },
    {
      when: "want 1, initial 5, not initialised",
      given: { desiredPods: 1, initialScale: 5, isInitialized: false },
      pods: 5,
      cut: "initial-scale",
    },
    { when: "want 0, initial 2, initialised", given: { initialScale: 2 }, pods: 0 },
  ];
  test.each(rows)("$when: $pods", ({ given, pods, cut = "none" }) => {
    expect(boundedScale({ ...base, ...given })).toEqual({ pods, cut });
  });
});

test.each([
  { min: 0, initialScale: 3, isInitialized: false, want: 3 },
  { min: 5, initialScale: 3, isInitialized: false, want: 5 },
  { min: 0, initialScale: 0, isInitialized: false, want: 0 },
  { min: 0, initialScale: 3, isInitialized: true, want: 1 },
  { min: 2, initialScale: 3, isInitialized: true, want: 2 },
])(
  "min $min, initial $initialScale, initialised $isInitialized: $want must be ready (S-110)",
  ({ min, want, ...of }) => {
    expect(minReadyPods({ min, max: 0 }, of)).toBe(want);
  },
);

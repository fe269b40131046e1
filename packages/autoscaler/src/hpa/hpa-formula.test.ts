import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limited, type MeasuredPod, recommend, Stabilization } from "./hpa-formula.ts";

const ready = (value: number): MeasuredPod => ({ kind: "measured", value, request: 100 });
const missing: MeasuredPod = { kind: "missing", request: 100 };
const starting: MeasuredPod = { kind: "starting", request: 100 };
const half = { kind: "utilization", percent: 50 } as const;

describe("the HPA's documented formula", () => {
  test.each<{ pods: readonly MeasuredPod[]; want: number; why: string }>([
    { pods: [ready(100)], want: 2, why: "twice the target" },
    { pods: [ready(100), ready(100)], want: 4, why: "ceil(2 x 2)" },
    { pods: [ready(54)], want: 1, why: "8 % over is within the tolerance" },
    { pods: [ready(56)], want: 2, why: "a bit more is not" },
    { pods: [ready(10), ready(10), ready(10), ready(10)], want: 1, why: "ceil(4 x 0.2)" },
    {
      pods: [ready(100), missing],
      want: 2,
      why: "one nobody knows of counts as idle when there would be more",
    },
    { pods: [ready(10), missing], want: 2, why: "and as at its target when there would be fewer" },
    { pods: [ready(200), starting], want: 4, why: "one that is starting counts as idle" },
    { pods: [ready(80), starting], want: 2, why: "which may turn the change around: then there is none" },
    {
      pods: [ready(48), ready(47), starting],
      want: 3,
      why: "one that is starting takes nothing from a load near its target",
    },
    { pods: [ready(40), ready(40), starting], want: 2, why: "nor does it count when there would be fewer" },
    { pods: [ready(10), missing, starting], want: 2, why: "one nobody knows of does: ceil(2 x 0.6)" },
  ])("$want pods: $why", ({ pods, want }) => {
    expect(recommend(pods.length, half, pods)).toEqual({ kind: "replicas", replicas: want });
  });

  test("an average needs no requests", () => {
    const pods: readonly MeasuredPod[] = [{ kind: "measured", value: 300, request: undefined }];
    expect(recommend(1, { kind: "average", value: 100 }, pods)).toEqual({ kind: "replicas", replicas: 3 });
  });

  test.each<{ pods: readonly MeasuredPod[] }>([
    { pods: [] },
    { pods: [missing] },
    { pods: [starting] },
    { pods: [{ kind: "measured", value: 1, request: undefined }] },
  ])("of $pods.length pods nothing can be said, case %#", ({ pods }) => {
    expect(recommend(pods.length, half, pods).kind).toBe("unknown");
  });

  test("a pod nobody knows of never makes a change larger, nor turns it around", () => {
    const loads = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(loads, fc.nat(4), (values, count) => {
        const pods = [...values.map(ready), ...Array.from({ length: count }, () => missing)];
        const found = recommend(pods.length, half, pods);
        const replicas = found.kind === "replicas" ? found.replicas : pods.length;
        const ratio = values.reduce((sum, value) => sum + value, 0) / values.length / 50;
        if (ratio > 1) expect(replicas).toBeGreaterThanOrEqual(pods.length);
        else expect(replicas).toBeLessThanOrEqual(pods.length);
      }),
    );
  });
});

test.each([
  { current: 1, wanted: 100, want: 5 },
  { current: 10, wanted: 100, want: 20 },
  { current: 10, wanted: 1, want: 2 },
  { current: 30, wanted: 60, want: 50 },
])("one step from $current to $wanted is to $want within 2 and 50", ({ current, wanted, want }) => {
  expect(limited(current, wanted, { min: 2, max: 50 })).toBe(want);
});

test("S-123: a scale-down takes the largest of its window, a scale-up the smallest", () => {
  const windows = { upSeconds: 0, downSeconds: 60 };
  const down = new Stabilization();
  expect(down.stabilized(10, 10, 0, windows)).toBe(10);
  expect(down.stabilized(10, 4, 30_000, windows)).toBe(10);
  expect(down.stabilized(10, 4, 61_000, windows)).toBe(4);
  expect(down.stabilized(4, 9, 62_000, windows)).toBe(9);
  const up = new Stabilization();
  const both = { upSeconds: 60, downSeconds: 60 };
  expect(up.stabilized(2, 2, 0, both)).toBe(2);
  expect(up.stabilized(2, 8, 30_000, both)).toBe(2);
  expect(up.stabilized(2, 8, 61_000, both)).toBe(8);
});

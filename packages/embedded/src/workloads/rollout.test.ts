import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planRollout, type RolloutPod, rolloutTarget } from "./rollout.ts";

/** `c`/`o`: current or old template; upper case: ready. The number is requests in flight. */
function pods(...marks: readonly string[]): readonly RolloutPod[] {
  return marks.map((mark, index) => ({
    name: `${mark}.${index}`,
    isCurrent: mark[0]?.toLowerCase() === "c",
    isReady: mark[0] === mark[0]?.toUpperCase(),
    inFlight: Number(mark.slice(1) || 0),
    createdAt: `2026-01-01T00:00:${String(index).padStart(2, "0")}Z`,
  }));
}

const surgeOne = (replicas: number) => ({ replicas, maxSurge: 1, maxUnavailable: 0 });

describe("scaling", () => {
  test.each([
    { there: [], replicas: 3, create: 3, remove: [], why: "all at once, from zero" },
    { there: ["C", "c"], replicas: 2, create: 0, remove: [], why: "nothing to do" },
    { there: ["C", "c"], replicas: 5, create: 3, remove: [] },
    { there: ["C", "c", "C"], replicas: 2, create: 0, remove: ["c.1"], why: "not ready goes first" },
    {
      there: ["C5", "C1", "C3"],
      replicas: 1,
      create: 0,
      remove: ["C1.1", "C3.2"],
      why: "then the least busy",
    },
    { there: ["C", "C", "C"], replicas: 1, create: 0, remove: ["C.2", "C.1"], why: "then the youngest" },
    { there: ["c9", "C0"], replicas: 1, create: 0, remove: ["c9.0"], why: "not ready even before idle" },
    { there: ["C", "c"], replicas: 0, create: 0, remove: ["c.1", "C.0"], why: "to zero" },
  ])("$there to $replicas: $why", ({ there, replicas, create, remove }) => {
    expect(planRollout(pods(...there), surgeOne(replicas))).toEqual({ create, remove });
  });
});

describe("a new template", () => {
  test.each([
    { there: ["O", "O"], replicas: 2, create: 1, remove: [], why: "one more, none less" },
    { there: ["O", "O", "c"], replicas: 2, create: 0, remove: [], why: "the new one has to be ready first" },
    { there: ["O", "O", "C"], replicas: 2, create: 0, remove: ["O.1"], why: "then an old one may go" },
    { there: ["O", "C"], replicas: 2, create: 1, remove: [] },
    { there: ["O", "o", "c"], replicas: 2, create: 0, remove: [], why: "one broken old one is no spare yet" },
    { there: ["O", "o", "C"], replicas: 2, create: 0, remove: ["o.1"], why: "the broken one first" },
    { there: ["o"], replicas: 1, create: 1, remove: [] },
    { there: ["O", "O", "o"], replicas: 0, create: 0, remove: ["o.2", "O.1", "O.0"] },
  ])("$there to $replicas: $why", ({ there, replicas, create, remove }) => {
    expect(planRollout(pods(...there), surgeOne(replicas))).toEqual({ create, remove });
  });

  test("it always ends, never with more than the surge, never below what is ready and needed", () => {
    const scenario = fc.record({
      replicas: fc.integer({ min: 0, max: 8 }),
      maxSurge: fc.integer({ min: 1, max: 4 }),
      old: fc.array(fc.boolean(), { maxLength: 8 }),
    });
    fc.assert(
      fc.property(scenario, ({ replicas, maxSurge, old }) => {
        const target = { replicas, maxSurge, maxUnavailable: 0 };
        let number = 0;
        let there: RolloutPod[] = old.map((isReady) => pod(number++, { isReady, isCurrent: false }));
        for (let step = 0; step < 100; step++) {
          const readyBefore = there.filter(({ isReady }) => isReady).length;
          const { create, remove } = planRollout(there, target);
          expect(create === 0 || there.length + create <= replicas + maxSurge).toBe(true);
          there = there.filter(({ name }) => !remove.includes(name));
          const readyAfter = there.filter(({ isReady }) => isReady).length;
          expect(readyAfter).toBeGreaterThanOrEqual(Math.min(readyBefore, replicas));
          if (
            create === 0 &&
            remove.length === 0 &&
            there.every(({ isReady, isCurrent }) => isReady || !isCurrent)
          )
            break;
          there = there.map((of) => (of.isCurrent ? { ...of, isReady: true } : of));
          for (let made = 0; made < create; made++)
            there.push(pod(number++, { isReady: false, isCurrent: true }));
        }
        expect(there.filter(({ isCurrent }) => isCurrent)).toHaveLength(replicas);
        expect(there).toHaveLength(replicas);
      }),
    );
  });
});

function pod(number: number, of: { readonly isReady: boolean; readonly isCurrent: boolean }): RolloutPod {
  return { name: `p${number}`, inFlight: 0, createdAt: String(number).padStart(4, "0"), ...of };
}

test.each([
  { strategy: undefined, replicas: 4, want: [1, 1] },
  {
    strategy: { rollingUpdate: { maxUnavailable: 0 } },
    replicas: 1,
    want: [1, 0],
    why: "C-48: 25 %, rounded up",
  },
  { strategy: { rollingUpdate: { maxUnavailable: 0 } }, replicas: 9, want: [3, 0] },
  { strategy: { rollingUpdate: { maxSurge: "50%", maxUnavailable: "50%" } }, replicas: 3, want: [2, 1] },
  {
    strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } },
    replicas: 3,
    want: [0, 1],
    why: "would never move",
  },
  { strategy: { type: "Recreate" }, replicas: 3, want: [0, 3] },
])("$strategy of $replicas: surge and unavailable $want", ({ strategy, replicas, want }) => {
  const { maxSurge, maxUnavailable } = rolloutTarget(strategy, replicas);
  expect([maxSurge, maxUnavailable]).toEqual(want);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextStepNs, setPace, stepRollout } from "./rollout.ts";
import { NO_PACE, parseRollout, type RolloutEntry, rolloutText } from "./rollout-state.ts";

const SECOND = 1_000_000_000n;
const NOW = 1_767_225_600_000_000_000n;
const entry = (shares: Record<string, number>, rest: Partial<RolloutEntry> = {}): RolloutEntry => {
  const revisions = Object.entries(shares).map(([revisionName, percent]) => ({ revisionName, percent }));
  const percent = revisions.reduce((sum, share) => sum + share.percent, 0);
  return { configurationName: "c", tag: "", percent, revisions, pace: NO_PACE, ...rest };
};
const numbered = (shares: readonly number[]): Record<string, number> =>
  Object.fromEntries(shares.map((percent, index) => [`r${index + 1}`, percent]));
const percents = (entries: readonly RolloutEntry[]): readonly number[] =>
  entries.flatMap(({ revisions }) => revisions.map(({ percent }) => percent));

describe("CV-23, C-95: pace", () => {
  test.each([
    { percent: 100, took: 1, duration: 120, size: 1, stepNs: 1_202_020_202n },
    { percent: 100, took: 3, duration: 120, size: 3, stepNs: 3n * SECOND },
    { percent: 75, took: 3, duration: 120, size: 2, stepNs: 3n * SECOND },
    { percent: 50, took: 3, duration: 120, size: 1, stepNs: 3n * SECOND },
    { percent: 13, took: 201, duration: 120, size: 12, stepNs: SECOND },
    { percent: 100, took: 2, duration: 60, size: 3, stepNs: 2n * SECOND },
    { percent: 100, took: 5, duration: 30, size: 20, stepNs: 5n * SECOND },
    { percent: 100, took: 1, duration: 10, size: 11, stepNs: SECOND },
    { percent: 10, took: 1, duration: 600, size: 1, stepNs: 66_555_555_555n },
    { percent: 2, took: 1, duration: 60, size: 1, stepNs: 59n * SECOND },
    { percent: 100, took: 40, duration: 30, size: 99, stepNs: SECOND },
  ])(
    "$percent % after $took s of $duration s: $size % each $stepNs ns",
    ({ percent, took, duration, size, stepNs }) => {
      const begun = entry(
        { r1: percent - 1, r2: 1 },
        { pace: { ...NO_PACE, startNs: NOW - BigInt(took) * SECOND } },
      );
      const [paced] = setPace([begun], { nowNs: NOW, durationSeconds: duration });
      expect(paced?.pace).toMatchObject({ stepPercent: size, stepNs, nextStepNs: NOW + stepNs });
    },
  );

  test("settled once, and not before it has begun", () => {
    const settled = entry(
      { r1: 99, r2: 1 },
      { pace: { startNs: 1n, nextStepNs: 2n, stepNs: 3n, stepPercent: 4 } },
    );
    const idle = entry({ r1: 100 });
    expect(setPace([settled, idle], { nowNs: NOW, durationSeconds: 60 })).toEqual([settled, idle]);
  });
});

describe("CV-24, C-96, C-97: steps", () => {
  test.each([
    { from: [95, 5], size: 3, want: [92, 8] },
    { from: [30, 60], size: 10, want: [20, 70] },
    { from: [22, 5, 3, 60], size: 10, want: [20, 70] },
    { from: [5, 1, 1, 8], size: 10, want: [15] },
    { from: [5, 1, 1, 8], size: 8, want: [15] },
    { from: [95, 5], size: 0, want: [95, 5] },
    { from: [95, 5], size: 3, dueNs: NOW + 1n, want: [95, 5] },
  ])("$from by $size: $want", ({ from, size, want, dueNs = NOW }) => {
    const stored = entry(numbered(from), {
      pace: { startNs: 1n, nextStepNs: dueNs, stepNs: SECOND, stepPercent: size },
    });
    const newest = stored.revisions.at(-1)?.revisionName ?? "";
    const [next] = stepRollout([entry({ [newest]: stored.percent })], [stored], NOW);
    expect(percents(next === undefined ? [] : [next])).toEqual(want);
    if (want.length === 1) expect(next?.pace).toEqual(NO_PACE);
    else if (want !== from && size > 0 && dueNs === NOW) expect(next?.pace.nextStepNs).toBe(NOW + SECOND);
  });

  test.each([
    { from: { r1: 100 }, percent: 100, want: { r1: 99, r9: 1 } },
    { from: { r1: 95, r2: 5 }, percent: 100, want: { r1: 95, r2: 4, r9: 1 } },
    { from: { r1: 99, r2: 1 }, percent: 100, want: { r1: 99, r9: 1 } },
    { from: { r1: 1 }, percent: 1, want: { r9: 1 } },
    { from: { r1: 11, r2: 31 }, percent: 33, want: { r1: 2, r2: 30, r9: 1 } },
    { from: { r1: 11, r2: 14 }, percent: 75, want: { r1: 11, r2: 63, r9: 1 } },
  ])("a new revision of $percent %, from $from: $want", ({ from, percent, want }) => {
    const [next] = stepRollout([entry({ r9: percent })], [entry(from)], NOW);
    expect(next).toEqual(entry(want, { pace: percent === 1 ? NO_PACE : { ...NO_PACE, startNs: NOW } }));
  });

  test.each([
    { from: [21, 54], percent: 42, want: [42] },
    { from: [21, 22, 32], percent: 42, want: [10, 32] },
    { from: [10, 5, 60], percent: 42, want: [42] },
    { from: [21, 21], percent: 75, want: [21, 54] },
  ])("the share becomes $percent, from $from: $want", ({ from, percent, want }) => {
    const stored = entry(numbered(from));
    const newest = stored.revisions.at(-1)?.revisionName ?? "";
    expect(percents(stepRollout([entry({ [newest]: percent })], [stored], NOW))).toEqual(want);
  });
});

test("CV-26, C-93, C-96: a new tag starts at 100 %, what is gone vanishes, and nothing rolls from nothing", () => {
  const stored = [entry({ r1: 100 }), entry({ x: 10 }, { configurationName: "gone" })];
  const tagged = entry({ r2: 100 }, { tag: "t" });
  expect(stepRollout([entry({ r1: 100 }), tagged], stored, NOW)).toEqual([entry({ r1: 100 }), tagged]);
  expect(stepRollout([entry({ r2: 100 })], [], NOW)).toEqual([entry({ r2: 100 })]);
});

test("C-92: nanoseconds survive the annotation digit by digit", () => {
  const pace = {
    startNs: 1_767_225_600_123_456_789n,
    nextStepNs: 1_767_225_603_123_456_789n,
    stepNs: 3n * SECOND,
    stepPercent: 3,
  };
  const entries = [entry({ r1: 97, r2: 3 }, { pace }), entry({ r2: 100 }, { tag: "t" })];
  const text = rolloutText(entries);
  expect(text).toBe(
    '{"configurations":[{"configurationName":"c","percent":100,"revisions":[{"revisionName":"r1","percent":97},' +
      '{"revisionName":"r2","percent":3}],"stepParams":{"starttime":1767225600123456789,"nextStepTime":1767225603123456789,' +
      '"stepDuration":3000000000,"stepSize":3}},{"configurationName":"c","tag":"t","percent":100,' +
      '"revisions":[{"revisionName":"r2","percent":100}],"stepParams":{}}]}',
  );
  expect(parseRollout(text)).toEqual(entries);
});

test.each([
  "not json",
  '{"configurations":[{"configurationName":"c","percent":101,"revisions":[{"revisionName":"r","percent":101}],"stepParams":{}}]}',
  '{"configurations":[{"configurationName":"c","percent":9,"revisions":[{"revisionName":"r","percent":8}],"stepParams":{}}]}',
  '{"configurations":[{"configurationName":"c","percent":9,"revisions":[{"revisionName":"r","percent":9}],"stepParams":{"stepSize":10}}]}',
  '{"configurations":[{"configurationName":"c","percent":9,"revisions":[{"revisionName":"r","percent":9}],"stepParams":{"stepSize":-1}}]}',
])("C-94: %s counts as absent", (text) => {
  expect(parseRollout(text)).toBeUndefined();
});

test("CI-6: shares sum up, none is empty, the newest never loses while it is the target, and it ends", () => {
  const change = fc.record({ arrives: fc.boolean(), afterSeconds: fc.nat(20) });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 100 }), fc.array(change, { maxLength: 20 }), (percent, changes) => {
      let now = NOW;
      let newest = 1;
      let state: readonly RolloutEntry[] = [entry({ r1: percent })];
      const advance = (seconds: number): void => {
        now += BigInt(seconds) * SECOND;
        const before =
          state[0]?.revisions.find(({ revisionName }) => revisionName === `r${newest}`)?.percent ?? 0;
        state = stepRollout(
          [entry({ [`r${newest}`]: percent })],
          setPace(state, { nowNs: now, durationSeconds: 30 }),
          now,
        );
        const shares = state[0]?.revisions ?? [];
        expect(shares.reduce((sum, share) => sum + share.percent, 0)).toBe(percent);
        for (const share of shares) expect(share.percent).toBeGreaterThan(0);
        expect(shares.at(-1)?.percent).toBeGreaterThanOrEqual(before);
      };
      for (const { arrives, afterSeconds } of changes) {
        if (arrives) newest++;
        advance(afterSeconds);
      }
      for (let step = 0; step < 200 && (state[0]?.revisions.length ?? 0) > 1; step++) advance(1);
      expect(state).toEqual([entry({ [`r${newest}`]: percent })]);
      expect(nextStepNs(state)).toBeUndefined();
    }),
  );
});

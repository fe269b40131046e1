import { endpoint, SeededRandom } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { PodTracker } from "./pod-tracker.ts";
import { type Policy, policyFor } from "./policy.ts";
import { RoutablePods } from "./routable-pods.ts";
import { FixedSlots, RampedSlots, type Slots } from "./slots.ts";

const random = new SeededRandom(7);

function trackers(count: number, slots: () => Slots): PodTracker[] {
  return Array.from({ length: count }, (_, index) => {
    const address = { ip: `10.0.0.${index + 1}`, port: 8012 };
    return new PodTracker(endpoint(address), { ...address, close: () => {} }, slots());
  });
}

/** Position of the pick, whose slot is then taken; `none` without one. */
function take(policy: Policy, list: readonly PodTracker[], of = list): number | "none" {
  const picked = policy.pick(new RoutablePods(list), random);
  picked?.reserve();
  return picked === undefined ? "none" : of.indexOf(picked);
}

describe("A-81: round robin", () => {
  test("concurrency 1: each in turn, none when all are busy, then the one that is free", () => {
    const [policy, all] = [policyFor(4), trackers(3, () => new FixedSlots(1))];
    const one = all.slice(0, 1);
    const picks = [
      take(policy, all),
      take(policy, all),
      take(policy, one),
      take(policy, all),
      take(policy, all),
    ];
    expect(picks).toEqual([0, 1, "none", 2, "none"]);
    all[2]?.release();
    expect(take(policy, all)).toBe(2);
  });

  test("concurrency 2", () => {
    const [policy, all] = [policyFor(4), trackers(3, () => new FixedSlots(2))];
    const one = all.slice(0, 1);
    const picks = [all, all, one, all, all, all].map((list) => take(policy, list, all));
    expect(picks).toEqual([0, 1, 0, 1, 2, 2]);
  });
});

describe("A-80: first available", () => {
  test("fills one pod before the next", () => {
    const [policy, all] = [policyFor(3), trackers(2, () => new FixedSlots(3))];
    expect(Array.from({ length: 7 }, () => take(policy, all))).toEqual([0, 0, 0, 1, 1, 1, "none"]);
  });
});

describe("A-80: the less loaded of two", () => {
  test("of two the less loaded always wins", () => {
    const all = trackers(2, () => new RampedSlots());
    all[0]?.reserve();
    for (let i = 0; i < 50; i++) expect(policyFor(0).pick(new RoutablePods(all), random)).toBe(all[1]);
  });

  test("equals are chosen about equally often", () => {
    const all = trackers(3, () => new RampedSlots());
    const pods = new RoutablePods(all);
    const counts = all.map(() => 0);
    for (let i = 0; i < 3_000; i++) {
      const at = policyFor(0).pick(pods, random)?.position ?? -1;
      counts[at] = (counts[at] ?? 0) + 1;
    }
    for (const count of counts) expect(count).toBeGreaterThan(850);
  });

  test("those that are full or left out give way to one that is not", () => {
    const all = trackers(4, () => new FixedSlots(1));
    for (const index of [0, 1]) all[index]?.reserve();
    all[2]?.eject();
    for (let i = 0; i < 50; i++) expect(policyFor(0).pick(new RoutablePods(all), random)).toBe(all[3]);
  });
});

describe("least-loaded", () => {
  test("a pod that has just come up warms up on part of its share, at most a third at first", () => {
    const all = trackers(4, () => new FixedSlots(100));
    for (const old of all.slice(1)) for (let second = 0; second < 9; second++) old.relaxed();
    const pods = new RoutablePods(all);
    const fill = () => {
      for (let i = 0; i < 120; i++) policyFor(10, "least-loaded").pick(pods, random)?.reserve();
      const loads = all.map(({ load }) => load);
      for (const tracker of all) while (tracker.load > 0) tracker.release();
      return loads;
    };
    const cold = fill();
    for (let second = 0; second < 9; second++) all[0]?.relaxed();
    const warm = fill();
    expect(cold[0]).toBeLessThan(10);
    expect(Math.min(...warm)).toBeGreaterThan(25);
  });

  test("max over mean is at most 1.3 when pods are filled", () => {
    const all = trackers(100, () => new FixedSlots(100));
    const pods = new RoutablePods(all);
    for (let i = 0; i < 1_000; i++) policyFor(10, "least-loaded").pick(pods, random)?.reserve();
    expect(Math.max(...all.map(({ load }) => load))).toBeLessThanOrEqual(13);
  });
});

test.each([0, 1, 4])("A-83: containerConcurrency %i and no pods: none", (containerConcurrency) => {
  expect(policyFor(containerConcurrency).pick(new RoutablePods([]), random)).toBeUndefined();
});

describe("ramp of containerConcurrency 0", () => {
  test("begins with 100, and a round of answers doubles it", () => {
    const ramp = new RampedSlots();
    expect(ramp.limit).toBe(100);
    for (let i = 0; i < 100; i++) ramp.responded();
    expect(ramp.limit).toBe(200);
  });

  test("doubles every second without any answer, and ends without a limit", () => {
    const ramp = new RampedSlots();
    const limits = Array.from({ length: 12 }, () => {
      ramp.relaxed();
      return ramp.limit;
    });
    expect(limits.slice(0, 3)).toEqual([200, 400, 800]);
    expect(limits.at(-1)).toBe(Number.POSITIVE_INFINITY);
  });
});

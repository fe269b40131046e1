import { revisionKey, type Stat } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import type { Averages } from "../collect/collection.ts";
import type { DeciderSpec } from "./decider-spec.ts";
import { MultiScaler } from "./multi-scaler.ts";

const revision = revisionKey({ namespace: "n", name: "a" });
const spec: DeciderSpec = {
  metric: "concurrency",
  targetValue: 70,
  totalValue: 100,
  targetBurstCapacity: 0,
  maxScaleUpRate: 1_000,
  maxScaleDownRate: 2,
  panicThreshold: 2,
  stableWindowMs: 60_000,
  scaleDownDelayMs: 0,
  initialScale: 1,
  isReachable: true,
  activationScale: 0,
};

function setup() {
  const clock = new VirtualClock();
  const world = {
    ready: 0,
    averages: undefined as Averages | undefined,
    decisions: 0,
    awake: 0,
    evaluations: 0,
  };
  const scaler = new MultiScaler({
    clock,
    collector: {
      averages: () => {
        world.evaluations++;
        return world.averages;
      },
      isEmpty: () => world.averages === undefined || world.averages.stable === 0,
      release: () => {},
    },
    pods: { counts: () => ({ ready: world.ready, notReady: 0, pending: 0, terminating: 0 }) },
    onDecision: () => world.decisions++,
    onAwake: () => world.awake++,
  });
  return { clock, world, scaler };
}

const report = (concurrency: number): Stat => ({
  podName: "activator",
  averageConcurrentRequests: concurrency,
  averageProxiedConcurrentRequests: 0,
  requestCount: 1,
  proxiedRequestCount: 0,
  processUptime: 0,
  timestamp: 0,
});

describe("poke (S-40)", () => {
  const rows: readonly { desired: number | undefined; ready: number; load: number; isEvaluated: boolean }[] =
    [
      { desired: 0, ready: 0, load: 1, isEvaluated: true },
      { desired: 0, ready: 1, load: 1, isEvaluated: true },
      { desired: 0, ready: 0, load: 0, isEvaluated: false },
      { desired: 2, ready: 2, load: 1, isEvaluated: false },
      { desired: 2, ready: 2, load: 280, isEvaluated: false }, // twice what two are wanted for
      { desired: 2, ready: 2, load: 281, isEvaluated: true },
      { desired: undefined, ready: 1, load: 1, isEvaluated: false },
      { desired: undefined, ready: 0, load: 1, isEvaluated: true },
      { desired: 2, ready: 0, load: 1, isEvaluated: true },
    ];
  test.each(rows)("desired $desired, $ready ready, load $load: evaluated is $isEvaluated", (row) => {
    const { clock, world, scaler } = setup();
    world.ready = row.ready;
    scaler.ensure(revision, spec);
    if (row.desired !== undefined) {
      world.averages = { stable: row.desired * 70, panic: 0 };
      scaler.evaluate(revision);
      expect(scaler.decision(revision)?.desiredPods).toBe(row.desired);
    }
    world.evaluations = 0;
    for (let times = 0; times < 3; times++) scaler.poke(revision, report(row.load));
    expect(world.evaluations).toBe(0); // soon, not within the caller
    clock.advance(0);
    expect(world.evaluations).toBe(row.isEvaluated ? 1 : 0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("of a revision nobody scales does nothing", () => {
    const { clock, scaler } = setup();
    scaler.poke(revision, report(1));
    clock.advance(0);
  });
});

test("tells of another scale or another sign of the spare burst, and of nothing else (S-89)", () => {
  const { world, scaler } = setup();
  world.ready = 1;
  scaler.ensure(revision, { ...spec, targetBurstCapacity: 10 });
  world.averages = { stable: 10, panic: 10 };
  scaler.evaluate(revision);
  expect(world.decisions).toBe(1);
  world.averages = { stable: 20, panic: 20 };
  scaler.evaluate(revision);
  expect(world.decisions).toBe(1);
  expect(scaler.decision(revision)).toEqual({ desiredPods: 1, excessBurstCapacity: 70 });
  world.averages = { stable: 20, panic: 95 };
  scaler.evaluate(revision);
  expect(world.decisions).toBe(2);
});

test("without data nothing changes (S-79)", () => {
  const { world, scaler } = setup();
  scaler.ensure(revision, spec);
  world.ready = 1;
  expect(scaler.evaluate(revision)).toBe("unsettled");
  expect(scaler.decision(revision)?.desiredPods).toBeUndefined();
  expect(scaler.explain(revision)?.ticks).toMatchObject([{ kind: "no-data", readyPods: 1 }]);
});

test("without pods there is no load, and nothing more to watch (S-47)", () => {
  const { world, scaler } = setup();
  scaler.ensure(revision, spec);
  expect(scaler.evaluate(revision)).toBe("settled");
  expect(scaler.decision(revision)?.desiredPods).toBe(0);
  world.averages = { stable: 0, panic: 0 };
  world.ready = 0;
  expect(scaler.evaluate(revision)).toBe("settled");
  world.averages = { stable: 1, panic: 0 };
  expect(scaler.evaluate(revision)).toBe("unsettled");
});

test("a new spec keeps what was learnt and is watched again, the same one is not (S-90)", () => {
  const { world, scaler } = setup();
  scaler.ensure(revision, spec);
  world.averages = { stable: 140, panic: 0 };
  scaler.evaluate(revision);
  expect(world.awake).toBe(1);
  expect(scaler.ensure(revision, { ...spec })).toMatchObject({ desiredPods: 2 });
  expect(world.awake).toBe(1);
  expect(scaler.ensure(revision, { ...spec, targetValue: 35 })).toMatchObject({ desiredPods: 2 });
  expect(world.awake).toBe(2);
  scaler.remove(revision);
  expect(scaler.decision(revision)).toBeUndefined();
});

test("the ticks kept are the latest, two minutes of them", () => {
  const { world, scaler, clock } = setup();
  scaler.ensure(revision, spec);
  for (let tick = 0; tick < 100; tick++) {
    world.averages = { stable: tick, panic: 0 };
    clock.advance(2_000);
    scaler.evaluate(revision);
  }
  const ticks = scaler.explain(revision)?.ticks ?? [];
  expect(ticks.length).toBe(60);
  expect(ticks.at(-1)).toMatchObject({ kind: "decided", at: clock.wall(), evaluation: { stable: 99 } });
  expect(ticks[0]).toMatchObject({ evaluation: { stable: 40 } });
});

import { type MonoMs, type RevisionKey, revisionKey, SeededRandom, type Stat } from "@rouse/shared";
import { benchmark, VirtualClock } from "@rouse/shared/testing";
import { Collection } from "../collect/collection.ts";
import { MetricCollector } from "../collect/metric-collector.ts";
import { loadOf } from "../receive/load.ts";
import { extrapolated } from "../scrape/scrape-revision.ts";
import { Decider } from "./decider.ts";
import { MultiScaler } from "./multi-scaler.ts";

const PODS = 10;
const REVISIONS = 1_000;
const collection = {
  stableSeconds: 60,
  panicSeconds: 6,
  aggregation: "linear",
  scrapeTarget: "private",
} as const;
const decider = {
  metric: "concurrency",
  targetValue: 70,
  totalValue: 100,
  targetBurstCapacity: 211,
  maxScaleUpRate: 1_000,
  maxScaleDownRate: 2,
  panicThreshold: 2,
  stableWindowMs: 60_000,
  scaleDownDelayMs: 0,
  initialScale: 1,
  isReachable: true,
  activationScale: 0,
} as const;

/** What does recording one stat cost, in all four windows? Budget 1 µs. */
export const recording = benchmark("record one stat", { small: 100, full: 2_000_000 }, (count) => {
  const random = new SeededRandom(1);
  const windows = new Collection(collection);
  const stats = Array.from({ length: 64 }, () => statOf(random));
  for (let at = 0; at < count; at++) {
    const stat = stats[at % stats.length];
    if (stat !== undefined) windows.record(loadOf(stat), (at * 10) as MonoMs);
  }
  return (
    windows.averages("concurrency", (count * 10) as MonoMs, { isFailing: false, isReported: false })
      ?.stable ?? 0
  );
});

/**
 * What does one tick of one busy revision cost: two seconds of reports recorded, both windows averaged, a decision?
 * Budget 20 µs: 10,000 busy revisions then take a tenth of a core.
 */
export const tick = benchmark("tick of a busy revision", { small: 100, full: 500_000 }, (count) => {
  const random = new SeededRandom(1);
  const windows = new Collection(collection);
  const one = new Decider(decider, 1, 0 as MonoMs);
  let pods = 1;
  let total = 0;
  for (let round = 0; round < count; round++) {
    const now = (round * 2_000) as MonoMs;
    for (const lateMs of [1_000, 0]) {
      windows.record({ concurrency: random.integer(0, 700), rps: 0 }, (now - lateMs) as MonoMs);
    }
    const averages = windows.averages("concurrency", now, { isFailing: false, isReported: false });
    if (averages === undefined) continue;
    pods = one.decide({ readyPods: pods, ...averages }, now).desiredPods;
    total += pods;
  }
  return total; // pods wanted in all: shows when the meaning of the work changed
});

/**
 * What does one tick over 1,000 busy revisions of 10 pods each cost: two rounds of ten answers each put together and
 * recorded, both windows averaged, a decision? Budget 50 ms for each of `count` ticks.
 */
export const tickOfAll = benchmark(
  "tick over 1,000 revisions of 10 pods",
  { small: 1, full: 100 },
  (count) => {
    const random = new SeededRandom(1);
    const clock = new VirtualClock();
    const pods = {
      counts: () => ({ ready: PODS, notReady: 0, pending: 0, terminating: 0 }),
      readyPods: () => [],
    };
    const collector = new MetricCollector(
      {
        clock,
        random,
        pods,
        scraper: { scrape: () => Promise.resolve(undefined) },
        readyActivators: () => 1,
        onHealth: () => {},
      },
      { sample: "all", mesh: "auto" },
    );
    let decisions = 0;
    const scaler = new MultiScaler({
      clock,
      collector,
      pods,
      onDecision: () => decisions++,
      onAwake: () => {},
    });
    const keys: RevisionKey[] = Array.from({ length: REVISIONS }, (_, index) =>
      revisionKey({ namespace: "default", name: `hello-${index}` }),
    );
    for (const key of keys) {
      collector.ensure(key, collection);
      scaler.ensure(key, decider);
    }
    const answers = Array.from({ length: PODS }, () => statOf(random));
    for (let tick = 0; tick < count; tick++) {
      for (let round = 0; round < 2; round++) {
        clock.advance(1_000);
        for (const key of keys) collector.record(key, extrapolated(answers, PODS));
      }
      for (const key of keys) scaler.evaluate(key);
    }
    return decisions;
  },
);

function statOf(random: SeededRandom): Stat {
  return {
    podName: "hello-pod",
    averageConcurrentRequests: random.integer(1, 100),
    averageProxiedConcurrentRequests: 0,
    requestCount: random.integer(1, 500),
    proxiedRequestCount: 0,
    processUptime: 100,
    timestamp: 0,
  };
}

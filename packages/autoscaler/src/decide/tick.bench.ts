import { type MonoMs, SeededRandom } from "@rouse/shared";
import { benchmark } from "@rouse/shared/testing";
import { Collection } from "../collect/collection.ts";
import { Decider } from "./decider.ts";

/**
 * What does one tick of one busy revision cost: two seconds of reports recorded, both windows averaged, a decision?
 * Budget 20 µs: 10,000 busy revisions then take a tenth of a core.
 */
export const tick = benchmark("tick of a busy revision", { small: 100, full: 500_000 }, (count) => {
  const random = new SeededRandom(1);
  const collection = new Collection({
    stableSeconds: 60,
    panicSeconds: 6,
    aggregation: "linear",
    scrapeTarget: "private",
  });
  const decider = new Decider(
    {
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
    },
    1,
    0 as MonoMs,
  );
  let pods = 1;
  let total = 0;
  for (let round = 0; round < count; round++) {
    const now = (round * 2_000) as MonoMs;
    for (const lateMs of [1_000, 0]) {
      collection.record({ concurrency: random.integer(0, 700), rps: 0 }, (now - lateMs) as MonoMs);
    }
    const averages = collection.averages("concurrency", now, { isFailing: false, isReported: false });
    if (averages === undefined) continue;
    pods = decider.decide({ readyPods: pods, ...averages }, now).desiredPods;
    total += pods;
  }
  return total; // pods wanted in all: shows when the meaning of the work changed
});

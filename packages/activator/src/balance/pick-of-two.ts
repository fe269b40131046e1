import type { Random } from "@rouse/shared";
import type { PodTracker } from "./pod-tracker.ts";
import type { Policy } from "./policy.ts";
import type { RoutablePods } from "./routable-pods.ts";

/** Lower is better. */
export type Score = (tracker: PodTracker) => number;

/** containerConcurrency 0: the one with fewer requests of two distinct ones at random. A-80. */
export const lessLoadedOfTwo: Policy = {
  pick: (pods, random) => pickOfTwo(pods, random, ({ load }) => load),
};

/**
 * `rouse.dev/load-balancing: least-loaded`: the same, but a pod that has just come up counts as more loaded than it
 * is, so that it warms up on part of its share.
 */
export const leastLoaded: Policy = {
  pick: (pods, random) => pickOfTwo(pods, random, ({ load, warmth }) => (load + 1) / warmth),
};

/**
 * Two distinct trackers at random, the better one that can take a request. Where neither can, two of those that can,
 * so that a free pod is always found. `undefined` if there is none.
 */
function pickOfTwo(pods: RoutablePods, random: Random, score: Score): PodTracker | undefined {
  const { trackers } = pods;
  if (pods.freeCount === 0) return undefined;
  if (trackers.length < 2) return trackers[0];
  const first = random.integer(0, trackers.length - 1);
  const other = random.integer(0, trackers.length - 2);
  const second = other < first ? other : other + 1; // skips `first`, so every pair is equally likely
  const picked = betterOf(free(trackers[first]), free(trackers[second]), score);
  if (picked !== undefined) return picked;
  return betterOf(pods.freeAround(first), pods.freeAround(second), score);
}

function free(tracker: PodTracker | undefined): PodTracker | undefined {
  return tracker?.hasSlot === true ? tracker : undefined;
}

function betterOf(
  a: PodTracker | undefined,
  b: PodTracker | undefined,
  score: Score,
): PodTracker | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return score(b) < score(a) ? b : a;
}

import type { Random } from "@rouse/shared";
import type { PodTracker } from "./pod-tracker.ts";

/**
 * Two distinct trackers at random, the less loaded one wins; where that one is full, the least loaded of all that are
 * not. `undefined` if there are none.
 */
export function pickOfTwo(trackers: readonly PodTracker[], random: Random): PodTracker | undefined {
  const winner = lessLoadedOfTwo(trackers, random);
  return winner === undefined || winner.hasSlot ? winner : leastLoaded(trackers);
}

function lessLoadedOfTwo(trackers: readonly PodTracker[], random: Random): PodTracker | undefined {
  if (trackers.length < 2) return trackers[0];
  const first = random.integer(0, trackers.length - 1);
  const other = random.integer(0, trackers.length - 2);
  const second = other < first ? other : other + 1; // skips `first`, so every pair is equally likely
  const [a, b] = [trackers[first], trackers[second]];
  return a !== undefined && b !== undefined && b.load < a.load ? b : a;
}

function leastLoaded(trackers: readonly PodTracker[]): PodTracker | undefined {
  let least: PodTracker | undefined;
  for (const tracker of trackers) {
    if (tracker.hasSlot && (least === undefined || tracker.load < least.load)) least = tracker;
  }
  return least;
}

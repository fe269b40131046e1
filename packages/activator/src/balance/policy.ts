import type { Random } from "@rouse/shared";
import { firstAvailable } from "./first-available.ts";
import { pickOfTwo } from "./pick-of-two.ts";
import type { PodTracker } from "./pod-tracker.ts";
import { RoundRobin } from "./round-robin.ts";

/** Chooses a pod with a free slot, or none. `trackers` are sorted by endpoint. */
export interface Policy {
  pick(trackers: readonly PodTracker[], random: Random): PodTracker | undefined;
}

/** From here on requests go round; below, they fill one pod before the next. A-80. */
const ROUND_ROBIN_FROM = 4;

/**
 * | containerConcurrency | policy |
 * |---|---|
 * | 0 | the less loaded of two at random |
 * | 1 to 3 | the first with a free slot |
 * | 4 and more | round robin |
 */
export function policyFor(containerConcurrency: number): Policy {
  if (containerConcurrency <= 0) return { pick: pickOfTwo };
  if (containerConcurrency < ROUND_ROBIN_FROM) return { pick: firstAvailable };
  return new RoundRobin();
}

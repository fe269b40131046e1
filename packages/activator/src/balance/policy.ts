import type { Random } from "@rouse/shared";
import { firstAvailable } from "./first-available.ts";
import { leastLoaded, lessLoadedOfTwo } from "./pick-of-two.ts";
import type { PodTracker } from "./pod-tracker.ts";
import { RoundRobin } from "./round-robin.ts";
import type { RoutablePods } from "./routable-pods.ts";

/** Chooses a pod with a free slot, or none, in a number of steps that does not grow with the pods. */
export interface Policy {
  pick(pods: RoutablePods, random: Random): PodTracker | undefined;
}

/** What the revision asks for by `rouse.dev/load-balancing`. */
export type LoadBalancing = "contract" | "least-loaded";

/** From here on requests go round; below, they fill one pod before the next. A-80. */
const ROUND_ROBIN_FROM = 4;

/**
 * | load balancing | containerConcurrency | policy |
 * |---|---|---|
 * | `least-loaded` | any | the less loaded of two at random, new pods slowly |
 * | contract | 0 | the less loaded of two at random |
 * | contract | 1 to 3 | the first with a free slot |
 * | contract | 4 and more | round robin |
 */
export function policyFor(containerConcurrency: number, loadBalancing: LoadBalancing = "contract"): Policy {
  if (loadBalancing === "least-loaded") return leastLoaded;
  if (containerConcurrency <= 0) return lessLoadedOfTwo;
  if (containerConcurrency < ROUND_ROBIN_FROM) return firstAvailable;
  return new RoundRobin();
}

import type { PodTracker } from "./pod-tracker.ts";

/** The first with a free slot. Clumps on purpose, so that pods at the end of the list can be scaled away. A-80. */
export function firstAvailable(trackers: readonly PodTracker[]): PodTracker | undefined {
  for (const tracker of trackers) if (tracker.hasSlot) return tracker;
  return undefined;
}

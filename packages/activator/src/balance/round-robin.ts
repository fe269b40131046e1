import type { PodTracker } from "./pod-tracker.ts";
import type { Policy } from "./policy.ts";

/** The next with a free slot after the one taken last. A-81. */
export class RoundRobin implements Policy {
  #cursor = 0;

  pick(trackers: readonly PodTracker[]): PodTracker | undefined {
    if (this.#cursor >= trackers.length) this.#cursor = 0;
    for (let step = 0; step < trackers.length; step++) {
      const at = (this.#cursor + step) % trackers.length;
      const tracker = trackers[at];
      if (tracker?.hasSlot !== true) continue;
      this.#cursor = at + 1;
      return tracker;
    }
    return undefined;
  }
}

import type { PodTracker } from "./pod-tracker.ts";
import type { Policy } from "./policy.ts";
import type { RoutablePods } from "./routable-pods.ts";

/** The next with a free slot after the one taken last. A-81. */
export class RoundRobin implements Policy {
  #cursor = 0;

  pick(pods: RoutablePods): PodTracker | undefined {
    if (this.#cursor >= pods.trackers.length) this.#cursor = 0;
    const tracker = pods.freeAround(this.#cursor);
    if (tracker !== undefined) this.#cursor = tracker.position + 1;
    return tracker;
  }
}

import { FreePositions } from "./free-positions.ts";
import type { PodTracker } from "./pod-tracker.ts";

/**
 * The pods requests may be sent to, sorted by endpoint, and which of them can take one now. A policy asks for the next
 * free one from a position on; nobody walks past busy pods.
 */
export class RoutablePods {
  readonly trackers: readonly PodTracker[];
  readonly #free: FreePositions;

  constructor(trackers: readonly PodTracker[]) {
    this.trackers = trackers;
    this.#free = new FreePositions(trackers.length);
    for (const [position, tracker] of trackers.entries()) {
      tracker.position = position;
      this.changed(tracker);
    }
  }

  get freeCount(): number {
    return this.#free.count;
  }

  has(tracker: PodTracker): boolean {
    return this.trackers[tracker.position] === tracker;
  }

  /** Whether it can take a request may be otherwise than before. To be called after anything that can make it so. */
  changed(tracker: PodTracker): void {
    if (!this.has(tracker)) return;
    if (tracker.hasSlot) this.#free.add(tracker.position);
    else this.#free.delete(tracker.position);
  }

  /** The first from `position` on that can take a request. */
  freeFrom(position: number): PodTracker | undefined {
    return this.trackers[this.#free.nextFrom(position)];
  }

  /** The same, going on from the beginning. */
  freeAround(position: number): PodTracker | undefined {
    return this.trackers[this.#free.nextAround(position)];
  }
}

import { type Random, type Waiter, WaitQueue } from "@rouse/shared";
import type { PodSet } from "../balance/pod-set.ts";
import type { PodTracker } from "../balance/pod-tracker.ts";

/** As the reference's queue depth, and here a bound that holds. A-68, design §6. */
const HELD_MAX = 10_000;

/**
 * Who waits for a pod of one revision, and in which order they get one: strictly first come, first served.
 * Decides only; `Throttle` forwards.
 */
export class RevisionThrottle<T> {
  readonly pods: PodSet;
  readonly #random: Random;
  readonly #heldMax: number;
  readonly #held = new WaitQueue<T>();

  constructor(pods: PodSet, random: Random, heldMax = HELD_MAX) {
    this.pods = pods;
    this.#random = random;
    this.#heldMax = heldMax;
  }

  get held(): number {
    return this.#held.size;
  }

  /** The one that has waited longest. */
  get oldest(): T | undefined {
    return this.#held.peek();
  }

  /** A slot for a newcomer; none while anybody waits. */
  reserve(): PodTracker | undefined {
    return this.#held.size > 0 ? undefined : this.pods.reserve(this.#random);
  }

  /** Makes it wait behind all others. `undefined`: the queue is full. */
  hold(item: T): Waiter<T> | undefined {
    return this.#held.size >= this.#heldMax ? undefined : this.#held.push(item);
  }

  /** Makes one wait again in its old place, full or not: it was let in before. */
  holdAgain(item: T, goesBefore: (other: T) => boolean): Waiter<T> {
    return this.#held.insert(item, goesBefore);
  }

  /** Forgets one that left. */
  abandon(waiter: Waiter<T>): void {
    this.#held.remove(waiter);
  }

  /** The next to run and the pod it runs on, as long as there are both. */
  next(): { readonly item: T; readonly tracker: PodTracker } | undefined {
    if (this.#held.size === 0) return undefined;
    const tracker = this.pods.reserve(this.#random);
    if (tracker === undefined) return undefined;
    const item = this.#held.shift();
    return item === undefined ? undefined : { item, tracker };
  }

  /** Takes the oldest out of the queue without a pod: it has waited too long, or for nothing. */
  dismiss(): T | undefined {
    return this.#held.shift();
  }
}

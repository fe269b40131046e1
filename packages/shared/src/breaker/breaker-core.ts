import { assert } from "../invariant.ts";

export type Admission = "run" | "queue" | "reject";

export interface BreakerLimits {
  /** How many may wait beside those that run. At least 1. */
  readonly queueDepth: number;
  /** The highest capacity there will ever be. */
  readonly maxConcurrency: number;
}

/**
 * Decides which requests run, which wait and which are turned away. Counts only: who waits is in a `WaitQueue`.
 * Waiting and running share one bound, so at capacity 0 it can hold `queueDepth + maxConcurrency` requests. A freed
 * place goes to the oldest waiter and never to a newcomer, so waits are bounded by what is in front.
 * Source: knative/serving pkg/queue/breaker.go, `totalSlots`; Q-42..Q-50.
 */
export class BreakerCore {
  readonly #pendingMax: number;
  readonly #maxConcurrency: number;
  #capacity: number;
  #running = 0;
  #queued = 0;

  constructor({ queueDepth, maxConcurrency }: BreakerLimits, capacity: number) {
    assert(queueDepth >= 1, "queue depth below 1");
    assert(maxConcurrency >= 0, "negative concurrency");
    assert(capacity >= 0 && capacity <= maxConcurrency, "capacity out of range");
    this.#pendingMax = queueDepth + maxConcurrency;
    this.#maxConcurrency = maxConcurrency;
    this.#capacity = capacity;
  }

  get capacity(): number {
    return this.#capacity;
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#queued;
  }

  admit(): Admission {
    if (this.#running + this.#queued >= this.#pendingMax) return "reject";
    if (this.#running >= this.#capacity) {
      this.#queued++;
      return "queue";
    }
    this.#running++;
    return "run";
  }

  /** A running request ended. Returns how many waiters now run; the shell wakes that many, oldest first. */
  release(): number {
    assert(this.#running > 0, "release without admit");
    this.#running--;
    return this.#promote();
  }

  /** A waiter gave up: its place inside is free at once, and no running place was ever its own. */
  abandon(): void {
    assert(this.#queued > 0, "abandon without a waiter");
    this.#queued--;
  }

  /** Lowering capacity never interrupts running requests; it only delays the next ones. Returns as `release`. */
  setCapacity(capacity: number): number {
    assert(capacity >= 0 && capacity <= this.#maxConcurrency, "capacity out of range");
    this.#capacity = capacity;
    return this.#promote();
  }

  #promote(): number {
    const promoted = Math.max(0, Math.min(this.#queued, this.#capacity - this.#running));
    this.#queued -= promoted;
    this.#running += promoted;
    return promoted;
  }
}

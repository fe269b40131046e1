import type { Clock, Random } from "@rouse/shared";

/**
 * Of one message: up to 2 ms, in parts of a millisecond that floating point holds exactly. Rounded sums would let timers
 * fire a hair too early, for ever.
 */
const PARTS_PER_MS = 64;
const LATENCY_PARTS_MAX = 128;

/** Messages of one connection, in both directions: each late, none before an earlier one. */
export class SimWire {
  readonly #clock: Clock;
  readonly #random: Random;
  #lastDueAt = 0;
  #isClosed = false;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  send(deliver: () => void): void {
    if (this.#isClosed) return;
    const now = this.#clock.now();
    const latencyMs = this.#random.integer(1, LATENCY_PARTS_MAX) / PARTS_PER_MS;
    this.#lastDueAt = Math.max(this.#lastDueAt, now + latencyMs);
    this.#clock.after(this.#lastDueAt - now, () => {
      if (!this.#isClosed) deliver();
    });
  }

  close(): void {
    this.#isClosed = true;
  }
}

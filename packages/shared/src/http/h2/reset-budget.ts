import type { Clock, MonoMs } from "../../clock/clock.ts";

/** Twice what a client may have open: one that gives up on all of it, and at once on as much again, is no attacker. */
const RESETS_AT_ONCE_MAX = 2_000;
const RESETS_PER_SECOND = 100;

/**
 * How many requests one client may take back before they are answered. Opening streams only to reset them costs a client
 * nothing and us an exchange each: CVE-2023-44487.
 */
export class ResetBudget {
  readonly #clock: Clock;
  readonly #exceeded: () => void;
  #left = RESETS_AT_ONCE_MAX;
  #countedAt: MonoMs;
  #isExceeded = false;

  /** `exceeded` is called once. */
  constructor(clock: Clock, exceeded: () => void) {
    this.#clock = clock;
    this.#exceeded = exceeded;
    this.#countedAt = clock.now();
  }

  /** One was taken back. */
  spend(): void {
    const now = this.#clock.now();
    const earned = ((now - this.#countedAt) / 1_000) * RESETS_PER_SECOND;
    this.#countedAt = now;
    this.#left = Math.min(RESETS_AT_ONCE_MAX, this.#left + earned) - 1;
    if (this.#left >= 0 || this.#isExceeded) return;
    this.#isExceeded = true;
    this.#exceeded();
  }
}

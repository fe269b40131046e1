import type { MonoMs } from "../clock/clock.ts";
import { SecondRing } from "./second-ring.ts";
import type { TimedWindow } from "./timed-window.ts";

/** Averages carry six decimals, so that sums of thirds do not push a ceiling up by one. S-59. */
const DECIMALS = 1e6;

/**
 * Every second counts the same. A young series is averaged over its real age, and a second without a value inside
 * the series counts as 0. S-59, V-35, V-36.
 */
export class LinearWindow implements TimedWindow {
  readonly #ring: SecondRing;

  constructor(seconds: number) {
    this.#ring = new SecondRing(seconds);
  }

  get seconds(): number {
    return this.#ring.seconds;
  }

  record(value: number, at: MonoMs): void {
    this.#ring.record(value, at);
  }

  average(now: MonoMs): number {
    const silent = Math.max(0, this.#ring.silentSeconds(now));
    const known = Math.min(this.#ring.spanSeconds, this.seconds - silent);
    if (known <= 0) return 0;
    // Summed anew each time: a running total would carry the rounding errors of everything that ever passed.
    let total = 0;
    for (let back = 0; back < this.seconds - silent; back++) total += this.#ring.valueBack(back);
    return Math.round((total / known) * DECIMALS) / DECIMALS;
  }

  silentSeconds(now: MonoMs): number {
    return this.#ring.silentSeconds(now);
  }

  recent(): readonly number[] {
    return this.#ring.recent();
  }

  isEmpty(now: MonoMs): boolean {
    return this.silentSeconds(now) > this.seconds;
  }

  resize(seconds: number, now: MonoMs): void {
    this.#ring.resize(seconds, now);
  }
}

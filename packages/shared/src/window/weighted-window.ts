import type { MonoMs } from "../clock/clock.ts";
import { SecondRing } from "./second-ring.ts";
import type { TimedWindow } from "./timed-window.ts";

/** The seconds of the window carry this part of the whole weight; the rest lies before it. S-60. */
const WEIGHT_INSIDE = 0.9999;
const COEFFICIENT_MIN = 0.2;

/** Weight of the newest second; each older one weighs `1 - coefficient` of the next. V-38. */
export function decayCoefficient(seconds: number): number {
  return Math.max(COEFFICIENT_MIN, 1 - (1 - WEIGHT_INSIDE) ** (1 / seconds));
}

/**
 * New seconds count more, falling off exponentially. Not rounded and not renormalised, so that a series that starts
 * from nothing ramps up. S-60.
 */
export class WeightedWindow implements TimedWindow {
  readonly #ring: SecondRing;
  #coefficient: number;

  constructor(seconds: number) {
    this.#ring = new SecondRing(seconds);
    this.#coefficient = decayCoefficient(seconds);
  }

  get seconds(): number {
    return this.#ring.seconds;
  }

  record(value: number, at: MonoMs): void {
    this.#ring.record(value, at);
  }

  average(now: MonoMs): number {
    const silent = Math.max(0, this.#ring.silentSeconds(now));
    let weight = this.#coefficient * (1 - this.#coefficient) ** silent;
    let total = 0;
    for (let back = 0; back < this.seconds - silent; back++) {
      total += this.#ring.valueBack(back) * weight;
      weight *= 1 - this.#coefficient;
    }
    return total;
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
    this.#coefficient = decayCoefficient(seconds);
  }
}

import type { MonoMs } from "../clock/clock.ts";
import { assert } from "../invariant.ts";

/** Granularity of every window: what lands in the same second adds up. S-55, S-57. */
const BUCKET_MS = 1_000;

/**
 * One number per second for the last `seconds` seconds. Holds no timer: time moves when a value is recorded.
 * Seconds are those of the monotonic clock, so that a step of the wall clock cannot empty a window.
 * Source: S-57, S-58, S-62, S-63.
 */
export class SecondRing {
  #buckets: Float64Array;
  /** Second of the newest value; `-Infinity` before the first one. */
  #last = Number.NEGATIVE_INFINITY;
  /** Second of the oldest value still known of; meaningless before the first one. */
  #first = 0;

  constructor(seconds: number) {
    this.#buckets = new Float64Array(checked(seconds));
  }

  get seconds(): number {
    return this.#buckets.length;
  }

  /** Seconds from the oldest to the newest value, both included, at most the length; 0 before the first value. */
  get spanSeconds(): number {
    if (this.#last === Number.NEGATIVE_INFINITY) return 0;
    return Math.min(this.#last - this.#first + 1, this.seconds);
  }

  /** Whole seconds since the newest value; negative if it is newer than `now`, `Infinity` if there is none. */
  silentSeconds(now: MonoMs): number {
    return secondOf(now) - this.#last;
  }

  /** A value of the past counts for its own second while that is inside the window, and is ignored otherwise. */
  record(value: number, at: MonoMs): void {
    const second = secondOf(at);
    if (second <= this.#last - this.seconds) return;
    if (second > this.#last) this.#rollTo(second);
    else this.#first = Math.min(this.#first, second);
    const index = this.#indexOf(second);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + value;
  }

  /** The value `secondsBack` before the newest one. */
  valueBack(secondsBack: number): number {
    if (this.#last === Number.NEGATIVE_INFINITY || secondsBack >= this.seconds) return 0;
    return this.#buckets[this.#indexOf(this.#last - secondsBack)] ?? 0;
  }

  /** The values of its span, newest first. */
  recent(): readonly number[] {
    return Array.from({ length: this.spanSeconds }, (_, back) => this.valueBack(back));
  }

  /**
   * Keeps the newest values that fit, unless all are older than the window was. The age stays the real one: the
   * reference lets a young series look as old as the former window, which makes its average collapse (S-63).
   */
  resize(seconds: number, now: MonoMs): void {
    if (checked(seconds) === this.seconds) return;
    const isStale = this.silentSeconds(now) > this.seconds;
    const kept = isStale ? 0 : Math.min(this.seconds, seconds);
    const values = Array.from({ length: kept }, (_, back) => this.valueBack(back));
    this.#first = Math.max(this.#first, this.#last - this.seconds + 1);
    if (isStale) this.#last = Number.NEGATIVE_INFINITY;
    this.#buckets = new Float64Array(seconds);
    if (this.#last === Number.NEGATIVE_INFINITY) return;
    for (const [back, value] of values.entries()) this.#buckets[this.#indexOf(this.#last - back)] = value;
  }

  /** Clears the seconds between the newest value and `second`, each at most once however long the gap. */
  #rollTo(second: number): void {
    if (second - this.#last >= this.seconds) {
      this.#buckets.fill(0);
      this.#first = second;
    } else {
      for (let passed = this.#last + 1; passed <= second; passed++) this.#buckets[this.#indexOf(passed)] = 0;
    }
    this.#last = second;
  }

  #indexOf(second: number): number {
    const index = second % this.seconds;
    return index < 0 ? index + this.seconds : index;
  }
}

function secondOf(at: MonoMs): number {
  return Math.floor(at / BUCKET_MS);
}

function checked(seconds: number): number {
  assert(Number.isInteger(seconds) && seconds >= 1, "a window has a whole number of seconds");
  return seconds;
}

import type { MonoMs } from "@rouse/shared";

/** One entry per decider tick. S-86. */
const SLOT_MS = 2_000;

/** A scale that was wanted some ticks ago. */
export interface HeldScale {
  readonly slotsAgo: number;
  readonly pods: number;
}

/**
 * The largest value of the last `delayMs`: how a scale-down is held back. Kept as a falling staircase, since a value
 * matters only until a larger one comes. S-86, V-26.
 */
export class DelayWindow {
  #slots: number;
  readonly #stairs: { readonly slot: number; readonly value: number }[] = [];

  constructor(delayMs: number) {
    this.#slots = slotsOf(delayMs);
  }

  /** Takes a value and returns the largest one still inside the window, which is at least `value`. */
  record(value: number, now: MonoMs): number {
    const slot = Math.floor(now / SLOT_MS);
    while ((this.#stairs.at(-1)?.value ?? Number.POSITIVE_INFINITY) <= value) this.#stairs.pop();
    this.#stairs.push({ slot, value });
    while (slot - (this.#stairs[0]?.slot ?? slot) >= this.#slots) this.#stairs.shift();
    return this.#stairs[0]?.value ?? value;
  }

  /** What still counts, oldest first. */
  memory(now: MonoMs): readonly HeldScale[] {
    const slot = Math.floor(now / SLOT_MS);
    return this.#stairs.map((stair) => ({ slotsAgo: slot - stair.slot, pods: stair.value }));
  }

  /** Takes up where another left off. To be called while it is new. */
  resume(held: readonly HeldScale[], now: MonoMs): void {
    const slot = Math.floor(now / SLOT_MS);
    for (const { slotsAgo, pods } of held) this.#stairs.push({ slot: slot - slotsAgo, value: pods });
  }

  /** Takes effect at the next `record`; the reference keeps the length a decider was made with (S-77). */
  resize(delayMs: number): void {
    this.#slots = slotsOf(delayMs);
  }
}

function slotsOf(delayMs: number): number {
  return Math.ceil(delayMs / SLOT_MS);
}

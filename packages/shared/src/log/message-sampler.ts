import type { WallMs } from "../clock/clock.ts";

export interface Sampling {
  readonly initial: number;
  readonly thereafter: number;
}

const SECOND_MS = 1_000;
/** Different messages of one second that are told apart; further ones are all let through. */
const MESSAGES_MAX = 1_000;

/** Per second the first few of one message and then every so many-th. What is dropped is counted (E-24). Q-141 */
export class MessageSampler {
  readonly #sampling: Sampling | undefined;
  #second = 0;
  readonly #seen = new Map<string, { count: number; dropped: number }>();

  constructor(sampling: Sampling | undefined) {
    this.#sampling = sampling;
  }

  /** `undefined`: drop it. Else how many of it were dropped since the last one let through. */
  admit(message: string, wall: WallMs): number | undefined {
    if (this.#sampling === undefined) return 0;
    const second = Math.floor(wall / SECOND_MS);
    if (second !== this.#second) this.#turn(second);
    const seen = this.#seen.get(message);
    if (seen === undefined) {
      if (this.#seen.size < MESSAGES_MAX) this.#seen.set(message, { count: 1, dropped: 0 });
      return 0;
    }
    const { initial, thereafter } = this.#sampling;
    const isLate = ++seen.count > initial;
    if (isLate && (thereafter <= 0 || (seen.count - initial) % thereafter !== 0)) {
      seen.dropped++;
      return undefined;
    }
    const { dropped } = seen;
    seen.dropped = 0;
    return dropped;
  }

  /** Those that still owe a number are kept, so that the next line of theirs says it. */
  #turn(second: number): void {
    this.#second = second;
    for (const [message, seen] of this.#seen) {
      if (seen.dropped === 0) this.#seen.delete(message);
      else seen.count = 0;
    }
  }
}

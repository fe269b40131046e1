import { VirtualClock } from "@rouse/shared/testing";

export interface PassingClockOptions {
  /** The longest wait that passes by itself: by default a rest between two attempts of a probe, and not their limit. */
  readonly waitMsMax?: number;
  /** Time stops here. */
  readonly untilMs?: number;
}

const REST_MS_MAX = 50;

/**
 * Time that passes as soon as somebody waits for a little, and is noted: what is long in the machine's time has no limit,
 * so a busy machine changes nothing.
 */
export class PassingClock extends VirtualClock {
  readonly waits: number[] = [];
  readonly #waitMsMax: number;
  readonly #untilMs: number;

  constructor({ waitMsMax = REST_MS_MAX, untilMs = Number.POSITIVE_INFINITY }: PassingClockOptions = {}) {
    super();
    this.#waitMsMax = waitMsMax;
    this.#untilMs = untilMs;
  }

  override after(delayMs: number, fire: () => void): Disposable {
    if (delayMs <= this.#waitMsMax) {
      this.waits.push(delayMs);
      setImmediate(() => this.advance(Math.min(delayMs, this.#untilMs - this.now())));
    }
    return super.after(delayMs, fire);
  }
}

import { type TimerWheel, WheelTimer } from "../../clock/timer-wheel.ts";

/** One deadline of a connection, or of the rare exchange that waits for something of its own. */
export class Alarm extends WheelTimer {
  readonly #wheel: TimerWheel;
  readonly #fired: () => void;

  constructor(wheel: TimerWheel, fired: () => void) {
    super();
    this.#wheel = wheel;
    this.#fired = fired;
  }

  arm(delayMs: number): void {
    this.#wheel.arm(this, delayMs);
  }

  disarm(): void {
    this.#wheel.disarm(this);
  }

  timerFired(): void {
    this.#fired();
  }
}

import type { Clock, MonoMs, WallMs } from "./clock.ts";

/** Node fires a longer timer after 1 ms, so a longer delay is taken in steps of this. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** A reading of the system's monotonic clock, in milliseconds, by any process of this machine, on our own scale. */
export function monoFromSystem(systemMs: number): MonoMs {
  const agoMs = Number(process.hrtime.bigint()) / 1e6 - systemMs;
  return (performance.now() - agoMs) as MonoMs;
}

/** The machine's clock. Timers do not keep the process alive: its listeners do. */
export class RealClock implements Clock {
  now(): MonoMs {
    return performance.now() as MonoMs;
  }

  wall(): WallMs {
    return Date.now() as WallMs;
  }

  after(delayMs: number, fire: () => void): Disposable {
    return new RealTimer(this.now() + Math.max(0, delayMs), fire);
  }

  soon(run: () => void): void {
    queueMicrotask(run);
  }
}

class RealTimer implements Disposable {
  readonly #dueAtMs: number;
  readonly #fire: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(dueAtMs: number, fire: () => void) {
    this.#dueAtMs = dueAtMs;
    this.#fire = fire;
    this.#arm();
  }

  #arm(): void {
    const restMs = this.#dueAtMs - performance.now();
    const isLastStep = restMs <= TIMER_MS_MAX;
    this.#timer = setTimeout(
      isLastStep ? this.#fire : () => this.#arm(),
      Math.min(Math.max(0, restMs), TIMER_MS_MAX),
    );
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

import type { Clock, MonoMs, WallMs } from "./clock.ts";

/** Node fires a longer timer after 1 ms, so a longer delay is taken in steps of this. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * How long work in bulk keeps the event loop. A request outside needs about four turns (connection, body, disk, answer),
 * and is to be answered within 50 ms while thousands of objects are brought in step.
 */
const BULK_MS_MAX = 1;

/** A reading of the system's monotonic clock, in milliseconds, by any process of this machine: ours are the same. */
export function monoFromSystem(systemMs: number): MonoMs {
  return systemMs as MonoMs;
}

/** When monotonic time was 0, in milliseconds since the epoch, with a fraction that the wall clock does not have. */
export function monoOriginMs(): number {
  return performance.timeOrigin + performance.now() - monotonicMs();
}

/** As quick as `performance.now`, and there at the start: that one loads a part of Node, which takes a millisecond. */
function monotonicMs(): MonoMs {
  const [seconds, nanoseconds] = process.hrtime();
  return (seconds * 1e3 + nanoseconds / 1e6) as MonoMs;
}

/** The machine's clock. Timers do not keep the process alive: its listeners do. */
export class RealClock implements Clock {
  /** When work in bulk began in this turn of the event loop; `undefined` while there was none. */
  #bulkSinceMs: number | undefined;

  now(): MonoMs {
    return monotonicMs();
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

  soonInBulk(run: () => void): void {
    if (this.#hasBulkTime()) queueMicrotask(run);
    else setImmediate(() => this.#runInBulk(run));
  }

  #runInBulk(run: () => void): void {
    if (this.#hasBulkTime()) run();
    else setImmediate(() => this.#runInBulk(run));
  }

  #hasBulkTime(): boolean {
    const nowMs = monotonicMs();
    if (this.#bulkSinceMs === undefined) {
      this.#bulkSinceMs = nowMs;
      setImmediate(() => {
        this.#bulkSinceMs = undefined;
      });
    }
    return nowMs - this.#bulkSinceMs < BULK_MS_MAX;
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
    const restMs = this.#dueAtMs - monotonicMs();
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

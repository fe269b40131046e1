import type { MonoMs } from "@rouse/shared";

/** What happened in one reporting period. Averages are weighted by time, counts are arrivals. Proxied is part of plain. */
export interface PeriodReport {
  readonly averageConcurrency: number;
  readonly averageProxiedConcurrency: number;
  readonly requestCount: number;
  readonly proxiedRequestCount: number;
  /** Since the last report, or since the beginning. */
  readonly elapsedMs: number;
}

/** Counts arrivals and the time integral of concurrency. Time that steps backwards is ignored. Q-122..Q-125. */
export class RequestStats {
  #last: MonoMs;
  #busyMs = 0;
  #area = 0;
  #areaProxied = 0;
  #concurrency = 0;
  #proxiedConcurrency = 0;
  #count = 0;
  #proxiedCount = 0;

  constructor(now: MonoMs) {
    this.#last = now;
  }

  get concurrency(): number {
    return this.#concurrency;
  }

  arrived(now: MonoMs, isProxied: boolean): void {
    this.#advance(now);
    this.#concurrency++;
    this.#count++;
    if (!isProxied) return;
    this.#proxiedConcurrency++;
    this.#proxiedCount++;
  }

  departed(now: MonoMs, isProxied: boolean): void {
    this.#advance(now);
    this.#concurrency--;
    if (isProxied) this.#proxiedConcurrency--;
  }

  /** Closes the period and begins the next; what is in flight stays counted. */
  report(now: MonoMs): PeriodReport {
    this.#advance(now);
    const elapsedMs = this.#busyMs;
    const report = {
      averageConcurrency: elapsedMs > 0 ? this.#area / elapsedMs : 0,
      averageProxiedConcurrency: elapsedMs > 0 ? this.#areaProxied / elapsedMs : 0,
      requestCount: this.#count,
      proxiedRequestCount: this.#proxiedCount,
      elapsedMs,
    };
    this.#busyMs = 0;
    this.#area = 0;
    this.#areaProxied = 0;
    this.#count = 0;
    this.#proxiedCount = 0;
    return report;
  }

  #advance(now: MonoMs): void {
    const elapsedMs = now - this.#last;
    if (elapsedMs <= 0) return;
    this.#busyMs += elapsedMs;
    this.#area += this.#concurrency * elapsedMs;
    this.#areaProxied += this.#proxiedConcurrency * elapsedMs;
    this.#last = now;
  }
}

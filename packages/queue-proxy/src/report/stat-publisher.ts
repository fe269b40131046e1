import { type Clock, encodeStat, type Stat } from "@rouse/shared";

/** One reporting period of the autoscaler. Q-125 */
const PERIOD_MS = 1_000;

/**
 * Cuts a report every second and keeps it, encoded, for any number of scrapes. Before the first one it says who we are
 * and nothing else. A tick that comes late does not push back the next. Q-125..Q-130
 */
export class StatPublisher implements Disposable {
  readonly #clock: Clock;
  readonly #take: (period: { readonly periodMs: number }) => Stat;
  #bytes: Uint8Array;
  #timer: Disposable | undefined;

  constructor(
    clock: Clock,
    options: {
      readonly podName: string;
      readonly take: (period: { readonly periodMs: number }) => Stat;
    },
  ) {
    this.#clock = clock;
    this.#take = options.take;
    this.#bytes = encodeStat({
      podName: options.podName,
      averageConcurrentRequests: 0,
      averageProxiedConcurrentRequests: 0,
      requestCount: 0,
      proxiedRequestCount: 0,
      processUptime: 0,
      timestamp: 0,
    });
    this.#arm(clock.now() + PERIOD_MS);
  }

  /** The last report as protobuf. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #arm(dueAt: number): void {
    this.#timer = this.#clock.after(dueAt - this.#clock.now(), () => {
      this.#bytes = encodeStat(this.#take({ periodMs: PERIOD_MS }));
      const nextAt = dueAt + PERIOD_MS;
      this.#arm(nextAt > this.#clock.now() ? nextAt : this.#clock.now() + PERIOD_MS);
    });
  }
}

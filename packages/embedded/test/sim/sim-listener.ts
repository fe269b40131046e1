import type { Clock, Listener, ProxyError, RequestHead } from "@rouse/shared";

/** Whoever sent a request, told of what becomes of it. */
export interface Caller {
  /** Nobody listens there. */
  refused(error: ProxyError): void;
  /** `text`: the body, where the answer is one of a proxy's own. */
  answered(status: number, text: string): void;
  finished(): void;
  /** The connection broke. */
  cut(): void;
}

/** A request at whoever listens. */
export interface Hop {
  observe(observer: { ended(): void }): void;
  clientLeft(): void;
  serverGone(): void;
}

export type Accept = (
  head: RequestHead,
  caller: Caller,
) => { readonly exchange: Hop; readonly begin: () => void };

/** Somebody who listens at an address of the simulated network, and the requests he has. */
export class SimListener implements Listener {
  readonly address: { readonly ip: string; readonly port: number };
  readonly #accept: Accept;
  readonly #clock: Clock;
  readonly #gone: () => void;
  readonly #exchanges = new Set<Hop>();
  #whenIdle: (() => void)[] = [];
  isAccepting = true;

  constructor(
    address: { readonly ip: string; readonly port: number },
    accept: Accept,
    clock: Clock,
    gone: () => void,
  ) {
    this.address = address;
    this.#accept = accept;
    this.#clock = clock;
    this.#gone = gone;
  }

  accept(head: RequestHead, caller: Caller): Hop {
    const { exchange, begin } = this.#accept(head, caller);
    this.#exchanges.add(exchange);
    exchange.observe({
      ended: () => {
        this.#exchanges.delete(exchange);
        if (this.#exchanges.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
      },
    });
    begin();
    return exchange;
  }

  async drain(): Promise<void> {
    this.#stop();
    if (this.#exchanges.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  async close(graceMs = 0): Promise<void> {
    const drained = this.drain();
    if (graceMs > 0 && this.#exchanges.size > 0) {
      const grace = Promise.withResolvers<void>();
      using _timer = this.#clock.after(graceMs, () => grace.resolve());
      await Promise.race([drained, grace.promise]);
    }
    this.cut();
  }

  /** Ends at once, whoever is connected. */
  cut(): void {
    this.#stop();
    for (const exchange of [...this.#exchanges]) exchange.serverGone();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #stop(): void {
    if (!this.isAccepting) return;
    this.isAccepting = false;
    this.#gone();
  }
}

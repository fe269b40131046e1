import {
  type BreakerCore,
  type Exchange,
  type ExchangeObserver,
  type Handler,
  type Layer,
  ProxyError,
  unreachable,
  WaitQueue,
} from "@rouse/shared";
import type { QueueProxyContext } from "../accept/context.ts";

type Held = Exchange<QueueProxyContext>;

/**
 * Lets at most the breaker's capacity through, holds the next ones in order and turns the rest away with 503. A place
 * is held until the exchange is over, tunnels included; one that leaves while waiting is forgotten at once (Q-42..Q-48).
 */
export class LimitConcurrency implements Layer<QueueProxyContext>, ExchangeObserver<QueueProxyContext> {
  readonly #breaker: BreakerCore;
  readonly #waiting = new WaitQueue<Held>();
  #next: Handler<QueueProxyContext> = () => {};

  constructor(breaker: BreakerCore) {
    this.#breaker = breaker;
  }

  handle(exchange: Held, next: Handler<QueueProxyContext>): void {
    this.#next = next; // the chain is built once, so it is the same for every exchange
    const { context } = exchange;
    if (context.isKubeletMarked) {
      next(exchange);
      return;
    }
    const admission = this.#breaker.admit();
    switch (admission) {
      case "run":
        context.place = "running";
        exchange.observe(this);
        next(exchange);
        return;
      case "queue":
        context.place = this.#waiting.push(exchange);
        exchange.observe(this);
        return;
      case "reject":
        context.isNotStarted = true;
        exchange.fail(new ProxyError("queue-full", "pending request queue full"));
        return;
      default:
        unreachable(admission);
    }
  }

  ended({ context }: Held): void {
    const { place } = context;
    context.place = "outside";
    if (place === "outside") return;
    if (place === "running") this.#wake(this.#breaker.release());
    else if (this.#waiting.remove(place)) this.#breaker.abandon();
  }

  #wake(count: number): void {
    for (let left = count; left > 0; left--) {
      const oldest = this.#waiting.shift();
      if (oldest === undefined) return;
      oldest.context.place = "running";
      this.#next(oldest);
    }
  }
}

/** For containerConcurrency 0: lets everything through. Q-42. */
export const unlimitedConcurrency: Layer<QueueProxyContext> = {
  handle: (exchange, next) => next(exchange),
};

import type { Exchange, ExchangeObserver, ExchangeOutcome, Handler, Layer, Logger } from "@rouse/shared";

/** Says of each request whose client left the program's answer behind that it did; there where debugging is on. Q-41 */
export class LogCancelled<C> implements Layer<C>, ExchangeObserver<C> {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  handle(exchange: Exchange<C>, next: Handler<C>): void {
    exchange.observe(this);
    next(exchange);
  }

  ended(_: Exchange<C>, outcome: ExchangeOutcome): void {
    if (outcome.kind === "client-closed") this.#log.debug("request context canceled");
  }
}

import type { Clock, Exchange, ExchangeObserver, Handler, Layer, StatSink } from "@rouse/shared";
import type { ActivatorContext } from "../accept/context.ts";
import type { ConcurrencyReport } from "./concurrency-report.ts";

export interface AccountDeps {
  readonly clock: Clock;
  readonly report: ConcurrencyReport;
  readonly stats: StatSink;
}

/**
 * Counts a request from here until it is over, its wait included, and pokes the autoscaler with the first one
 * of a revision, before anything else is done about it: scaling from zero begins in this call.
 */
export class Account implements Layer<ActivatorContext>, ExchangeObserver<ActivatorContext> {
  readonly #clock: Clock;
  readonly #report: ConcurrencyReport;
  readonly #stats: StatSink;

  constructor({ clock, report, stats }: AccountDeps) {
    this.#clock = clock;
    this.#report = report;
    this.#stats = stats;
  }

  handle(exchange: Exchange<ActivatorContext>, next: Handler<ActivatorContext>): void {
    const { revision } = exchange.context;
    if (revision !== undefined) {
      exchange.observe(this);
      const poke = this.#report.started(revision.target.key, this.#clock.now());
      if (poke !== undefined) this.#stats.send([poke], "poke");
    }
    next(exchange);
  }

  ended({ context: { revision } }: Exchange<ActivatorContext>): void {
    if (revision !== undefined) this.#report.ended(revision.target.key, this.#clock.now());
  }
}

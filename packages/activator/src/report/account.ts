import type { Clock, Exchange, ExchangeObserver, Handler, Layer, StatSink } from "@rouse/shared";
import type { ActivatorContext } from "../accept/context.ts";
import type { ActivatorMetrics } from "../metrics/activator-metrics.ts";
import type { ConcurrencyReport } from "./concurrency-report.ts";

export interface AccountDeps {
  readonly clock: Clock;
  readonly report: ConcurrencyReport;
  readonly stats: StatSink;
  readonly metrics: ActivatorMetrics;
}

/**
 * Counts a request from here until it is over, its wait included, and pokes the autoscaler with the first one
 * of a revision, before anything else is done about it: scaling from zero begins in this call.
 */
export class Account implements Layer<ActivatorContext>, ExchangeObserver<ActivatorContext> {
  readonly #clock: Clock;
  readonly #report: ConcurrencyReport;
  readonly #stats: StatSink;
  readonly #metrics: ActivatorMetrics;

  constructor({ clock, report, stats, metrics }: AccountDeps) {
    this.#clock = clock;
    this.#report = report;
    this.#stats = stats;
    this.#metrics = metrics;
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

  ended(exchange: Exchange<ActivatorContext>): void {
    const { context, request, status, receivedAt } = exchange;
    const { revision } = context;
    if (revision === undefined) return;
    const now = this.#clock.now();
    this.#report.ended(revision.target.key, now);
    this.#metrics.ended(revision, { method: request.method, status }, (now - receivedAt) / 1_000);
  }
}

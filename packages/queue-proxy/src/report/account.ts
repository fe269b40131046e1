import {
  type Clock,
  type Exchange,
  type ExchangeObserver,
  type Handler,
  headers,
  type Layer,
  PROXIED_BY_ACTIVATOR,
} from "@rouse/shared";
import type { QueueProxyContext } from "../accept/context.ts";
import type { RequestStats } from "./request-stats.ts";

/**
 * Counts a request from here until it is over: waiting, rejected, tunnelled. The kubelet's own are let
 * through uncounted, and marked for the layers that follow.
 */
export class Account implements Layer<QueueProxyContext>, ExchangeObserver<QueueProxyContext> {
  readonly #clock: Clock;
  readonly #stats: RequestStats;

  constructor(clock: Clock, stats: RequestStats) {
    this.#clock = clock;
    this.#stats = stats;
  }

  handle(exchange: Exchange<QueueProxyContext>, next: Handler<QueueProxyContext>): void {
    const { request, context } = exchange;
    context.isKubeletMarked = (request.get(headers.kubeletProbe) ?? "") !== "";
    if (!context.isKubeletMarked) {
      context.isProxied = request.get(headers.proxyRequest) === PROXIED_BY_ACTIVATOR;
      this.#stats.arrived(this.#clock.now(), context.isProxied);
      exchange.observe(this);
    }
    next(exchange);
  }

  ended(exchange: Exchange<QueueProxyContext>): void {
    this.#stats.departed(this.#clock.now(), exchange.context.isProxied);
  }
}

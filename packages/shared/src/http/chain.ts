import type { Exchange } from "./exchange.ts";

export type Handler<C = unknown> = (exchange: Exchange<C>) => void;

/** One step on the way of a request. Calls `next` now or later, or answers the exchange itself. */
export interface Layer<C = unknown> {
  handle(exchange: Exchange<C>, next: Handler<C>): void;
}

/** The first layer sees the request first and its end last. Built once, at wiring. */
export function chain<C>(layers: readonly Layer<C>[], last: Handler<C>): Handler<C> {
  return layers.reduceRight<Handler<C>>((next, layer) => (exchange) => layer.handle(exchange, next), last);
}

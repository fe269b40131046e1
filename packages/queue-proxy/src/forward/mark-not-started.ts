import { type Exchange, type ExchangeObserver, type Handler, headers, type Layer } from "@rouse/shared";
import type { QueueProxyContext } from "../accept/context.ts";

const BAD_GATEWAY = 502;
const UNAVAILABLE = 503;

/**
 * Tells an activator which of our answers are to requests that the program was never given: it may send those to another
 * pod, whatever their method. Nobody else is told, and what a program itself says of the kind is taken out, since only
 * these answers are believed.
 */
export class MarkNotStarted implements Layer<QueueProxyContext>, ExchangeObserver<QueueProxyContext> {
  handle(exchange: Exchange<QueueProxyContext>, next: Handler<QueueProxyContext>): void {
    exchange.observe(this);
    next(exchange);
  }

  responseStarting(exchange: Exchange<QueueProxyContext>, status: number): void {
    if (status !== BAD_GATEWAY && status !== UNAVAILABLE) return;
    const { isNotStarted, isProxied } = exchange.context;
    if (isNotStarted && isProxied) exchange.setResponseHeader(headers.notStarted, "true");
    else exchange.removeResponseHeader(headers.notStarted);
  }
}

import { type Exchange, type Handler, headers, type Layer, PROXIED_BY_ACTIVATOR } from "@rouse/shared";

/**
 * Says to queue-proxy that the request came through an activator, which counts it already, and takes out what
 * only named the revision.
 */
export class MarkProxied<C> implements Layer<C> {
  handle(exchange: Exchange<C>, next: Handler<C>): void {
    const { request } = exchange;
    exchange.setRequestHeader(headers.proxyRequest, PROXIED_BY_ACTIVATOR);
    for (const name of [headers.revision, headers.namespace, headers.networkHash]) {
      if (request.has(name)) exchange.removeRequestHeader(name);
    }
    next(exchange);
  }
}

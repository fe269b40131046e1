import { type Exchange, type Handler, headers, type Layer } from "@rouse/shared";
import type { QueueProxyContext } from "../accept/context.ts";

/**
 * Gives the program the Host the client asked for, where an activator put its own in the way, and takes out what was
 * only meant for the platform. All other fields of the platform stay.
 */
export class RestoreHost implements Layer<QueueProxyContext> {
  handle(exchange: Exchange<QueueProxyContext>, next: Handler<QueueProxyContext>): void {
    const { request } = exchange;
    if (request.has(headers.revision)) exchange.removeRequestHeader(headers.revision);
    if (request.has(headers.namespace)) exchange.removeRequestHeader(headers.namespace);
    if (!exchange.context.isKubeletMarked) {
      const original = request.get(headers.originalHost) ?? "";
      if (original !== "") {
        exchange.setRequestHeader("Host", original);
        exchange.removeRequestHeader(headers.originalHost);
      }
    }
    next(exchange);
  }
}

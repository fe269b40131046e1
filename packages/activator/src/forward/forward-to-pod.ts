import { assert, type Exchange, type ForwardFailureHandler, type Handler, headers } from "@rouse/shared";
import type { ActivatorContext } from "../accept/context.ts";

/**
 * The end of the chain: sends the exchange to the pod whose slot it has. `failures` decides when that fails.
 *
 * Host becomes the pod's own address, so that a mesh routes by where the request goes and not by what the client asked
 * for; queue-proxy restores it from `K-Original-Host`, which is kept where a mapping of domains has set it.
 */
export function forwardToPod(failures: ForwardFailureHandler<ActivatorContext>): Handler<ActivatorContext> {
  return (exchange) => {
    const { tracker } = exchange.context;
    assert(tracker !== undefined, "forwarded without a slot");
    keepHost(exchange);
    exchange.setRequestHeader("Host", tracker.authority);
    exchange.forward(tracker.upstream, failures);
  };
}

/**
 * The same where pods are reached through a mesh by the name of their Service. A-22
 * @param serviceOf the private Service's name and namespace, as `name.namespace`
 */
export function forwardThroughMesh(
  failures: ForwardFailureHandler<ActivatorContext>,
  serviceOf: (context: ActivatorContext) => string,
): Handler<ActivatorContext> {
  return (exchange) => {
    const { tracker } = exchange.context;
    assert(tracker !== undefined, "forwarded without a slot");
    keepHost(exchange);
    exchange.setRequestHeader("Host", serviceOf(exchange.context));
    exchange.setRequestHeader(headers.passthroughLb, "true");
    exchange.forward(tracker.upstream, failures);
  };
}

function keepHost(exchange: Exchange<ActivatorContext>): void {
  const { request } = exchange;
  if ((request.get(headers.originalHost) ?? "") !== "") return;
  exchange.setRequestHeader(headers.originalHost, request.host);
}

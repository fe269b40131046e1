import { assert, type ForwardFailureHandler, type Handler } from "@rouse/shared";
import type { ActivatorContext } from "../accept/context.ts";

/** The end of the chain: sends the exchange to the pod whose slot it has. `failures` decides when that fails. */
export function forwardToPod(failures: ForwardFailureHandler<ActivatorContext>): Handler<ActivatorContext> {
  return (exchange) => {
    const { tracker } = exchange.context;
    assert(tracker !== undefined, "forwarded without a slot");
    exchange.forward(tracker.upstream, failures);
  };
}

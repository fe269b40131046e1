import {
  assert,
  type Clock,
  type ExchangeObserver,
  type ForwardFailure,
  type ForwardFailureHandler,
  type Logger,
  ProxyError,
  type Random,
} from "@rouse/shared";
import type { GatewayContext, GatewayExchange } from "../accept/context.ts";
import type { Backend } from "../balance/backend.ts";
import type { EndpointPools } from "../balance/endpoint-pools.ts";

/**
 * Attempts for one request, over all endpoints and changes of them, or one for each endpoint where there are more: after
 * a large scale-down most of a list that is behind may be gone, and a refused connection costs next to nothing.
 */
const ATTEMPTS_MAX = 10;
/** How long a request may wait for an endpoint to appear: the watch is milliseconds behind, a start is not waited for. */
const HOLD_MS = 1_000;
/** How many may wait for one Service. */
const HELD_MAX = 1_000;

export interface ForwardDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly pools: EndpointPools;
  readonly log: Logger;
}

/**
 * The end of the chain: sends the exchange to a ready endpoint of its Service. One that could not be connected to is
 * left out for a while and another one tried; a request that has begun to be sent is never sent twice. Where no
 * endpoint is left, it waits a moment for the list to change, since the list it saw may be milliseconds old.
 */
export class ForwardToBackend
  implements ExchangeObserver<GatewayContext>, ForwardFailureHandler<GatewayContext>
{
  readonly #deps: ForwardDeps;

  constructor(deps: ForwardDeps) {
    this.#deps = deps;
  }

  readonly handle = (exchange: GatewayExchange): void => {
    exchange.observe(this);
    this.#tryOne(exchange, undefined);
  };

  responseStarted({ context }: GatewayExchange): void {
    context.endpoint?.reached();
  }

  ended({ context }: GatewayExchange): void {
    this.#leave(context);
    const { waiter, backend } = context;
    if (waiter !== undefined) backend?.held.remove(waiter);
  }

  forwardFailed(exchange: GatewayExchange, failure: ForwardFailure): void {
    const { context } = exchange;
    const attemptsMax = Math.max(ATTEMPTS_MAX, context.backend?.endpointCount ?? 0);
    if (!failure.isRetriable || context.attempts >= attemptsMax || context.endpoint === undefined) {
      exchange.fail(failure.error);
      return;
    }
    const { endpoint } = context.endpoint;
    context.endpoint.unreachable(this.#deps.clock.now());
    context.tried = [...context.tried, endpoint];
    this.#deps.log.warn("endpoint could not be reached", { endpoint, because: failure.error.message });
    this.#leave(context);
    this.#tryOne(exchange, failure.error);
  }

  /** The Service's endpoints have changed: everyone who waited for that is tried again. */
  endpointsChanged(backend: Backend): void {
    for (let left = backend.held.size; left > 0; left--) {
      const exchange = backend.held.shift();
      if (exchange === undefined) break;
      exchange.context.waiter = undefined;
      exchange.context.tried = [];
      this.#tryOne(exchange, undefined);
    }
    if (backend.held.size > 0) return;
    backend.holdTimer?.[Symbol.dispose]();
    backend.holdTimer = undefined;
  }

  #tryOne(exchange: GatewayExchange, because: ProxyError | undefined): void {
    const { context } = exchange;
    const { clock, random, pools } = this.#deps;
    const { backend } = context;
    assert(backend !== undefined, "forwarded without a route");
    const endpoint = backend.pick(random, { now: clock.now(), tried: context.tried });
    if (endpoint === undefined) {
      this.#hold(exchange, backend, because);
      return;
    }
    context.endpoint = endpoint;
    context.attempts++;
    pools.enter(endpoint);
    exchange.forward(endpoint.upstream, this);
  }

  #hold(exchange: GatewayExchange, backend: Backend, because: ProxyError | undefined): void {
    const { clock } = this.#deps;
    if (backend.held.size >= HELD_MAX || clock.now() - exchange.receivedAt >= HOLD_MS) {
      exchange.fail(because ?? noEndpoint(backend));
      return;
    }
    exchange.context.waiter = backend.held.push(exchange);
    this.#armHold(backend);
  }

  #armHold(backend: Backend): void {
    const { clock } = this.#deps;
    const oldest = backend.held.peek();
    if (backend.holdTimer !== undefined || oldest === undefined) return;
    const restMs = oldest.receivedAt + HOLD_MS - clock.now();
    backend.holdTimer = clock.after(restMs, () => {
      backend.holdTimer = undefined;
      const now = clock.now();
      for (let first = backend.held.peek(); first !== undefined; first = backend.held.peek()) {
        if (now - first.receivedAt < HOLD_MS) break;
        backend.held.shift();
        first.context.waiter = undefined;
        first.fail(noEndpoint(backend));
      }
      this.#armHold(backend);
    });
  }

  #leave(context: GatewayContext): void {
    const { endpoint } = context;
    context.endpoint = undefined;
    if (endpoint !== undefined) this.#deps.pools.leave(endpoint);
  }
}

function noEndpoint({ ref, endpointCount }: Backend): ProxyError {
  const missing = endpointCount > 0 ? "none of its endpoints could be reached" : "it has no ready endpoint";
  return new ProxyError("no-endpoint", `service "${ref.namespace}/${ref.name}": ${missing}`, {
    retryAfterMs: HOLD_MS,
  });
}

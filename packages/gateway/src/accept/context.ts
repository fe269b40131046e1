import type { Endpoint, Exchange, Waiter } from "@rouse/shared";
import type { Backend } from "../balance/backend.ts";
import type { PooledEndpoint } from "../balance/endpoint-pools.ts";

export type GatewayExchange = Exchange<GatewayContext>;

/** What the layers of the gateway know about one exchange. Made by the server for each. */
export class GatewayContext {
  /** The Service its route led to. Set by `route/`. */
  backend: Backend | undefined;
  /** Where it was sent, while it is there. */
  endpoint: PooledEndpoint | undefined;
  /** Its place among those that wait for an endpoint, while it does. */
  waiter: Waiter<GatewayExchange> | undefined;
  /** Endpoints that could not be reached for it. */
  tried: readonly Endpoint[] = [];
  /** How often it has been forwarded. */
  attempts = 0;
}

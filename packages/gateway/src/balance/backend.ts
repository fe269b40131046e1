import { type Endpoint, type MonoMs, type Random, WaitQueue } from "@rouse/shared";
import type { GatewayExchange } from "../accept/context.ts";
import type { BackendRef } from "../route/routing-table.ts";
import type { EndpointPools, PooledEndpoint } from "./endpoint-pools.ts";

/** A Service and the endpoints that are ready to serve it. */
export class Backend {
  readonly ref: BackendRef;
  /** Requests that found no endpoint and wait a moment for one. */
  readonly held = new WaitQueue<GatewayExchange>();
  /** When they have waited enough. Its owner is who holds them. */
  holdTimer: Disposable | undefined;
  readonly #pools: EndpointPools;
  #endpoints: readonly PooledEndpoint[] = [];

  constructor(ref: BackendRef, pools: EndpointPools) {
    this.ref = ref;
    this.#pools = pools;
  }

  get endpointCount(): number {
    return this.#endpoints.length;
  }

  /** Replaces the list. New ones are taken in before old ones are let go, so that shared connections stay. */
  setEndpoints(endpoints: ReadonlySet<Endpoint>): void {
    const before = this.#endpoints;
    this.#endpoints = [...endpoints].map((endpoint) => this.#pools.list(endpoint));
    for (const pooled of before) this.#pools.unlist(pooled);
  }

  /**
   * The less loaded of two at random, of those that have not failed this request; those that failed others lately only
   * if there is no other. `undefined`: there is none left.
   */
  pick(
    random: Random,
    options: { readonly now: MonoMs; readonly tried: readonly Endpoint[] },
  ): PooledEndpoint | undefined {
    const { now, tried } = options;
    if (this.#endpoints.length === 1 && tried.length === 0) return this.#endpoints[0]; // the common case, for nothing
    const left = this.#endpoints.filter(({ endpoint }) => !tried.includes(endpoint));
    const well = left.filter((pooled) => !pooled.isEjected(now));
    return lessLoadedOfTwo(well.length > 0 ? well : left, random);
  }
}

function lessLoadedOfTwo(endpoints: readonly PooledEndpoint[], random: Random): PooledEndpoint | undefined {
  if (endpoints.length < 2) return endpoints[0];
  const first = random.integer(0, endpoints.length - 1);
  const other = random.integer(0, endpoints.length - 2);
  const second = other < first ? other : other + 1; // skips `first`, so every pair is equally likely
  const [a, b] = [endpoints[first], endpoints[second]];
  return a !== undefined && b !== undefined && b.load < a.load ? b : a;
}

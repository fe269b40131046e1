import type { Endpoint, MonoMs, Upstream } from "@rouse/shared";

/** Connections to one endpoint, closed by who opened them. */
export interface ClosableUpstream extends Upstream {
  close(): unknown;
}

/** Left out after the n-th failure in a row to connect: 50 ms doubling to 2 s. */
const EJECTION_MS_FIRST = 50;
const EJECTION_MS_MAX = 2_000;

/** One endpoint, shared by all backends that list it: the activators stand behind every revision without pods. */
export class PooledEndpoint {
  readonly endpoint: Endpoint;
  readonly upstream: ClosableUpstream;
  /** Requests that are at it. */
  load = 0;
  /** Backends that list it. */
  listed = 0;
  #failures = 0;
  #ejectedUntilMs = 0;

  constructor(endpoint: Endpoint, upstream: ClosableUpstream) {
    this.endpoint = endpoint;
    this.upstream = upstream;
  }

  isEjected(now: MonoMs): boolean {
    return now < this.#ejectedUntilMs;
  }

  unreachable(now: MonoMs): void {
    if (this.isEjected(now)) return; // one failure that many requests found out about
    this.#ejectedUntilMs = now + Math.min(EJECTION_MS_FIRST * 2 ** this.#failures++, EJECTION_MS_MAX);
  }

  reached(): void {
    this.#failures = 0;
    this.#ejectedUntilMs = 0;
  }
}

/** One pool per endpoint anyone lists; it closes when nobody lists it any more and its last request is over. */
export class EndpointPools {
  readonly #connect: (endpoint: Endpoint) => ClosableUpstream;
  readonly #pools = new Map<Endpoint, PooledEndpoint>();

  constructor(connect: (endpoint: Endpoint) => ClosableUpstream) {
    this.#connect = connect;
  }

  get size(): number {
    return this.#pools.size;
  }

  list(endpoint: Endpoint): PooledEndpoint {
    const pooled = this.#pools.get(endpoint) ?? new PooledEndpoint(endpoint, this.#connect(endpoint));
    this.#pools.set(endpoint, pooled);
    pooled.listed++;
    return pooled;
  }

  unlist(pooled: PooledEndpoint): void {
    pooled.listed--;
    this.#closeIfUnused(pooled);
  }

  enter(pooled: PooledEndpoint): void {
    pooled.load++;
  }

  leave(pooled: PooledEndpoint): void {
    pooled.load--;
    if (pooled.listed === 0) this.#closeIfUnused(pooled);
  }

  close(): void {
    for (const { upstream } of this.#pools.values()) upstream.close();
    this.#pools.clear();
  }

  #closeIfUnused(pooled: PooledEndpoint): void {
    if (pooled.listed > 0 || pooled.load > 0 || this.#pools.get(pooled.endpoint) !== pooled) return;
    this.#pools.delete(pooled.endpoint);
    pooled.upstream.close();
  }
}

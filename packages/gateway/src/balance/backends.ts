import { type Endpoint, type ObjectKey, objectKey } from "@rouse/shared";
import type { BackendRef } from "../route/routing-table.ts";
import { Backend } from "./backend.ts";
import type { EndpointPools } from "./endpoint-pools.ts";

/** Says which endpoints of a Service are ready now. */
export type ReadyEndpoints = (ref: BackendRef) => ReadonlySet<Endpoint>;

/** One backend per Service and port that any route leads to, with its endpoints of now. */
export class Backends {
  readonly #pools: EndpointPools;
  readonly #readyOf: ReadyEndpoints;
  readonly #backends = new Map<string, Backend>();
  readonly #ofService = new Map<ObjectKey, Set<Backend>>();
  /** By backend, how many owners of routes lead to it; by owner, the backends. */
  readonly #users = new Map<string, number>();
  readonly #usedBy = new Map<ObjectKey, ReadonlySet<string>>();

  constructor(pools: EndpointPools, readyOf: ReadyEndpoints) {
    this.#pools = pools;
    this.#readyOf = readyOf;
  }

  /** The backend of a route; made when it is the first that leads there. */
  of(ref: BackendRef): Backend {
    const known = this.#backends.get(backendKey(ref));
    if (known !== undefined) return known;
    const backend = new Backend(ref, this.#pools);
    const service = objectKey(ref);
    this.#backends.set(backendKey(ref), backend);
    this.#ofService.set(service, (this.#ofService.get(service) ?? new Set()).add(backend));
    backend.setEndpoints(this.#readyOf(ref));
    return backend;
  }

  /** Takes over the endpoints a Service has now. Returns the backends they belong to. */
  refresh(service: ObjectKey): Iterable<Backend> {
    const backends = this.#ofService.get(service) ?? [];
    for (const backend of backends) backend.setEndpoints(this.#readyOf(backend.ref));
    return backends;
  }

  /** Says where the routes of one owner lead now, instead of where they did. What nobody leads to any more is dropped. */
  setUsed(owner: ObjectKey, refs: readonly BackendRef[]): void {
    const before = this.#usedBy.get(owner) ?? [];
    const used = new Set(refs.map(backendKey));
    for (const key of used) this.#users.set(key, (this.#users.get(key) ?? 0) + 1);
    if (used.size > 0) this.#usedBy.set(owner, used);
    else this.#usedBy.delete(owner);
    for (const key of before) {
      const left = (this.#users.get(key) ?? 1) - 1;
      if (left > 0) this.#users.set(key, left);
      else this.#drop(key);
    }
  }

  /** Requests that are with it finish. */
  #drop(key: string): void {
    this.#users.delete(key);
    const backend = this.#backends.get(key);
    if (backend === undefined) return;
    const service = objectKey(backend.ref);
    const siblings = this.#ofService.get(service);
    siblings?.delete(backend);
    if (siblings?.size === 0) this.#ofService.delete(service);
    this.#backends.delete(key);
    backend.setEndpoints(new Set());
  }

  close(): void {
    for (const backend of this.#backends.values()) backend.holdTimer?.[Symbol.dispose]();
    this.#backends.clear();
    this.#ofService.clear();
    this.#users.clear();
    this.#usedBy.clear();
  }
}

function backendKey({ namespace, name, port }: BackendRef): string {
  return `${namespace}/${name}:${port}`;
}

import {
  annotations,
  type Clock,
  done,
  type Endpoints,
  EndpointsKind,
  Informer,
  type Ingress,
  IngressKind,
  type KubeClient,
  type Logger,
  type ObjectKey,
  objectKey,
  type Pass,
  type Random,
  ReconcileLoop,
  type Reconciler,
  type Stored,
  writeStatus,
} from "@rouse/shared";
import { Backend } from "../balance/backend.ts";
import type { EndpointPools } from "../balance/endpoint-pools.ts";
import { type IngressVerdict, ingressStatus } from "../report/ingress-status.ts";
import {
  type BackendRef,
  backendRef,
  type EntryPoint,
  RoutingTable,
  type TableIngress,
} from "../route/routing-table.ts";
import { readyEndpoints } from "./backend-endpoints.ts";

export interface IngressWatchDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly pools: EndpointPools;
  /** Told when the endpoints of a backend are others than before. */
  readonly endpointsChanged: (backend: Backend) => void;
}

export interface IngressWatchOptions {
  readonly ingressClass: string;
  readonly entry: EntryPoint;
  /** Written into the status of each Ingress. */
  readonly ip: string;
}

/**
 * Keeps the routing table and its backends in step with the API, and says of each Ingress whether it is in force. The
 * table is swapped whole, so every request sees one configuration (C-118).
 */
export class IngressWatch implements Reconciler, Disposable {
  readonly name = "ingress";
  readonly #deps: IngressWatchDeps;
  readonly #options: IngressWatchOptions;
  readonly #ingresses: Informer<Ingress>;
  readonly #endpoints: Informer<Endpoints>;
  readonly #loop: ReconcileLoop;
  readonly #backends = new Map<string, Backend>();
  /** What is in force of each Ingress: its spec of now, or the last one that could be applied. */
  readonly #applied = new Map<ObjectKey, Ingress["spec"]>();
  #table: RoutingTable<Backend>;
  #isSynced = false;

  constructor(deps: IngressWatchDeps, options: IngressWatchOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#table = this.#build([]);
    this.#loop = new ReconcileLoop(
      {
        clock: deps.clock,
        onError: (_, key, error) =>
          deps.log.error("ingress status not written", { key, error: String(error) }),
      },
      this,
    );
    this.#endpoints = new Informer<Endpoints>(deps, EndpointsKind).handle({
      changed: (endpoints) => this.#endpointsChanged(endpoints),
      removed: (endpoints) => this.#endpointsChanged(endpoints),
    });
    this.#ingresses = new Informer<Ingress>(deps, IngressKind).handle({
      changed: (ingress) => this.#ingressChanged(ingress),
      removed: (ingress) => {
        if (this.#applied.delete(objectKey(ingress.metadata))) this.#rebuild();
      },
    });
  }

  /** Follows from now on; resolves when everything that exists is in the table. */
  async start(): Promise<void> {
    await this.#endpoints.start();
    await this.#ingresses.start();
    this.#isSynced = true;
    for (const ingress of this.#ingresses.list()) this.#apply(ingress);
    this.#rebuild();
  }

  get table(): RoutingTable<Backend> {
    return this.#table;
  }

  /** Writes the verdict on one Ingress into its status. */
  async reconcile(key: ObjectKey): Promise<Pass> {
    const ingress = this.#ingresses.get(key);
    if (ingress === undefined || !this.#isOurs(ingress)) return done;
    const { client, clock } = this.#deps;
    const status = ingressStatus(ingress, this.#verdict(key, ingress), {
      now: clock.wall(),
      ip: this.#options.ip,
    });
    await writeStatus(client, IngressKind, ingress, status);
    return done;
  }

  [Symbol.dispose](): void {
    this.#ingresses[Symbol.dispose]();
    this.#endpoints[Symbol.dispose]();
    this.#loop[Symbol.dispose]();
    for (const backend of this.#backends.values()) backend.holdTimer?.[Symbol.dispose]();
    this.#backends.clear();
  }

  #isOurs({ metadata }: Stored<Ingress>): boolean {
    return metadata.annotations?.[annotations.ingressClass] === this.#options.ingressClass;
  }

  #ingressChanged(ingress: Stored<Ingress>): void {
    if (!this.#isSynced) return; // `start` applies all there are at once
    if (this.#apply(ingress)) this.#rebuild();
    this.#loop.add(objectKey(ingress.metadata));
  }

  /** Puts an Ingress in force, if it is ours and its backends can serve or it never was. Returns whether that changes. */
  #apply(ingress: Stored<Ingress>): boolean {
    const key = objectKey(ingress.metadata);
    if (!this.#isOurs(ingress)) return this.#applied.delete(key);
    const before = this.#applied.get(key);
    if (before === ingress.spec) return false;
    if (before !== undefined && this.#unservable(ingress.spec) !== undefined) return false;
    this.#applied.set(key, ingress.spec);
    return true;
  }

  /** A backend with a share of the traffic and no ready address; `undefined` if there is none. C-113. */
  #unservable(spec: Ingress["spec"]): BackendRef | undefined {
    return backendsOf(spec).find((ref) => this.#readyOf(ref).size === 0);
  }

  #readyOf({ namespace, name, port }: BackendRef) {
    return readyEndpoints(this.#endpoints.get(objectKey({ namespace, name })), port);
  }

  #verdict(key: ObjectKey, ingress: Stored<Ingress>): IngressVerdict {
    const host = this.#table.conflicts.get(key);
    if (host !== undefined) return { kind: "conflict", host };
    // In force already: a backend that loses its endpoints later does not take that back.
    const isLive = ingress.status?.observedGeneration === ingress.metadata.generation && isReady(ingress);
    const missing =
      this.#applied.get(key) === ingress.spec && isLive ? undefined : this.#unservable(ingress.spec);
    return missing === undefined
      ? { kind: "live" }
      : { kind: "waiting", backend: `${missing.namespace}/${missing.name}` };
  }

  #rebuild(): void {
    if (!this.#isSynced) return;
    const ours = [...this.#ingresses.list()].sort(olderFirst);
    const inForce = ours.flatMap(({ metadata }) => {
      const key = objectKey(metadata);
      const spec = this.#applied.get(key);
      return spec === undefined ? [] : [{ key, spec }];
    });
    const conflictsBefore = this.#table.conflicts;
    this.#table = this.#build(inForce);
    this.#dropUnused(inForce);
    for (const key of new Set([...conflictsBefore.keys(), ...this.#table.conflicts.keys()]))
      this.#loop.add(key);
    for (const { key } of inForce) this.#loop.addSlow(key);
  }

  #build(ingresses: readonly TableIngress[]): RoutingTable<Backend> {
    return RoutingTable.build(ingresses, {
      entry: this.#options.entry,
      backend: (ref) => this.#backend(ref),
    });
  }

  #backend(ref: BackendRef): Backend {
    const known = this.#backends.get(backendKey(ref));
    if (known !== undefined) return known;
    const backend = new Backend(ref, this.#deps.pools);
    this.#backends.set(backendKey(ref), backend);
    backend.setEndpoints(this.#readyOf(ref));
    return backend;
  }

  #dropUnused(inForce: readonly TableIngress[]): void {
    const used = new Set(inForce.flatMap(({ spec }) => backendsOf(spec)).map(backendKey));
    for (const [key, backend] of this.#backends) {
      if (used.has(key)) continue;
      this.#backends.delete(key);
      backend.setEndpoints(new Set());
    }
  }

  #endpointsChanged({ metadata: { namespace, name } }: Stored<Endpoints>): void {
    for (const backend of this.#backends.values()) {
      if (backend.ref.name !== name || backend.ref.namespace !== namespace) continue;
      backend.setEndpoints(this.#readyOf(backend.ref));
      this.#deps.endpointsChanged(backend);
    }
    if (!this.#isSynced) return;
    for (const ingress of this.#ingresses.list()) {
      if (!backendsOf(ingress.spec).some((ref) => ref.name === name && ref.namespace === namespace)) continue;
      if (this.#apply(ingress)) this.#rebuild();
      this.#loop.add(objectKey(ingress.metadata));
    }
  }
}

function backendsOf(spec: Ingress["spec"]): readonly BackendRef[] {
  return spec.rules
    .flatMap((rule) => rule.http.paths)
    .flatMap((path) => path.splits.filter(({ percent }) => percent > 0 || path.splits.length === 1))
    .map(backendRef);
}

function backendKey({ namespace, name, port }: BackendRef): string {
  return `${namespace}/${name}:${port}`;
}

function isReady({ status }: Stored<Ingress>): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
}

/** Of two that want a host the older one has it. */
function olderFirst(a: Stored<Ingress>, b: Stored<Ingress>): number {
  const [atA, atB] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (atA !== atB) return atA < atB ? -1 : 1;
  return objectKey(a.metadata) < objectKey(b.metadata) ? -1 : 1;
}

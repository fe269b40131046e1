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
  ports,
  type Random,
  ReconcileLoop,
  type Reconciler,
  type Service,
  ServiceKind,
  type Stored,
  writeStatus,
} from "@rouse/shared";
import type { Backend } from "../balance/backend.ts";
import { Backends } from "../balance/backends.ts";
import type { EndpointPools } from "../balance/endpoint-pools.ts";
import { type IngressVerdict, ingressStatus } from "../report/ingress-status.ts";
import type { BackendRef, EntryPoint, RoutingTable } from "../route/routing-table.ts";
import { readyEndpoints } from "./backend-endpoints.ts";
import { backendsOf, backendsOfPath, RoutesInForce } from "./routes-in-force.ts";

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

/** Ports of Services behind which HTTP/2 is spoken, by number or name. */
const HTTP2_PORTS: ReadonlySet<number | string> = new Set([ports.serviceH2c, "http2", "h2c"]);

/** The version of a spec that is in force. A status that changes is no new version. */
interface Applied {
  readonly uid: string;
  readonly generation: number;
}

/**
 * Keeps the routing table and its backends in step with the API, and says of each Ingress whether it is in force.
 */
export class IngressWatch implements Reconciler, Disposable {
  readonly name = "ingress";
  readonly #deps: IngressWatchDeps;
  readonly #options: IngressWatchOptions;
  readonly #ingresses: Informer<Ingress>;
  readonly #endpoints: Informer<Endpoints>;
  readonly #serviceObjects: Informer<Service>;
  readonly #loop: ReconcileLoop;
  readonly #backends: Backends;
  /** Which ingresses send traffic to a Service, so that a change of endpoints touches no others; and the reverse. */
  readonly #users = new Map<ObjectKey, Set<ObjectKey>>();
  readonly #services = new Map<ObjectKey, ReadonlySet<ObjectKey>>();
  /** What is in force of each Ingress: its spec of now, or the last one that could be applied. */
  readonly #applied = new Map<ObjectKey, Applied>();
  readonly #routes: RoutesInForce;
  #isSynced = false;

  constructor(deps: IngressWatchDeps, options: IngressWatchOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#backends = new Backends(deps.pools, (ref) => this.#readyOf(ref));
    this.#routes = new RoutesInForce(this.#backends, options.entry);
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
    this.#serviceObjects = new Informer<Service>(deps, ServiceKind).handle({
      changed: (service) => this.#endpointsChanged(service),
      removed: (service) => this.#endpointsChanged(service),
    });
    this.#ingresses = new Informer<Ingress>(deps, IngressKind).handle({
      changed: (ingress) => {
        this.#index(objectKey(ingress.metadata), backendsOf(ingress.spec));
        this.#ingressChanged(ingress);
      },
      removed: (ingress) => {
        this.#index(objectKey(ingress.metadata), []);
        this.#withdraw(objectKey(ingress.metadata));
      },
    });
  }

  /** Follows from now on; resolves when everything that exists is in the table. */
  async start(): Promise<void> {
    await Promise.all([this.#endpoints.start(), this.#serviceObjects.start()]);
    await this.#ingresses.start();
    this.#isSynced = true;
    for (const ingress of this.#ingresses.list()) this.#ingressChanged(ingress);
  }

  get table(): RoutingTable<Backend> {
    return this.#routes.table;
  }

  get inner(): RoutingTable<Backend> {
    return this.#routes.inner;
  }

  /** The Secret with the certificate that an Ingress in force names for the host. C-117 */
  secretOf(host: string): ObjectKey | undefined {
    return this.#routes.secretOf(host);
  }

  /** Whether everything the host leads to is spoken to in HTTP/2: what clients may be told to speak. C-112 */
  speaksHttp2(host: string): boolean {
    const { table, inner } = this.#routes;
    const paths = table
      .pathsOf(host)
      .flatMap((path) => (path.rewriteHost === undefined ? path : [...inner.pathsOf(path.rewriteHost)]));
    const backends = paths.flatMap(({ splits }) => splits.map(({ backend }) => backend.ref));
    return backends.length > 0 && backends.every(({ port }) => HTTP2_PORTS.has(port));
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
    this.#serviceObjects[Symbol.dispose]();
    this.#loop[Symbol.dispose]();
    this.#backends.close();
  }

  #isOurs({ metadata }: Stored<Ingress>): boolean {
    return metadata.annotations?.[annotations.ingressClass] === this.#options.ingressClass;
  }

  #ingressChanged(ingress: Stored<Ingress>): void {
    if (!this.#isSynced) return; // `start` applies all there are
    this.#apply(ingress);
    this.#loop.add(objectKey(ingress.metadata));
  }

  /** Puts an Ingress in force, if it is ours and its backends can serve or it never was. */
  #apply(ingress: Stored<Ingress>): void {
    const key = objectKey(ingress.metadata);
    if (!this.#isOurs(ingress)) {
      this.#withdraw(key);
      return;
    }
    const before = this.#applied.get(key);
    if (isSameSpec(before, ingress)) return;
    if (before !== undefined && this.#unservable(ingress.spec) !== undefined) return;
    const { uid, generation, creationTimestamp: createdAt } = ingress.metadata;
    const { spec } = ingress;
    this.#applied.set(key, { uid, generation });
    for (const other of this.#routes.set({ key, spec, createdAt })) this.#loop.add(other);
  }

  #withdraw(key: ObjectKey): void {
    if (!this.#applied.delete(key)) return;
    for (const other of this.#routes.delete(key)) this.#loop.add(other);
  }

  /** A backend with a share of the traffic and no ready address; `undefined` if there is none. C-113. */
  #unservable(spec: Ingress["spec"]): BackendRef | undefined {
    return spec.rules
      .flatMap((rule) => rule.http.paths)
      .filter(({ rewriteHost = "" }) => rewriteHost === "" || !this.#routes.inner.knows(rewriteHost)) // else routed again
      .flatMap(backendsOfPath)
      .find((ref) => this.#readyOf(ref).size === 0);
  }

  #readyOf({ namespace, name, port }: BackendRef) {
    const key = objectKey({ namespace, name });
    return readyEndpoints(
      { service: this.#serviceObjects.get(key), endpoints: this.#endpoints.get(key) },
      port,
    );
  }

  #verdict(key: ObjectKey, ingress: Stored<Ingress>): IngressVerdict {
    const host = this.#routes.table.conflictOf(key);
    if (host !== undefined) return { kind: "conflict", host };
    // In force already: a backend that loses its endpoints later does not take that back.
    const isLive = ingress.status?.observedGeneration === ingress.metadata.generation && isReady(ingress);
    const missing =
      isSameSpec(this.#applied.get(key), ingress) && isLive ? undefined : this.#unservable(ingress.spec);
    return missing === undefined
      ? { kind: "live" }
      : { kind: "waiting", backend: `${missing.namespace}/${missing.name}` };
  }

  /** The Service of that name leads elsewhere than before, or may. */
  #endpointsChanged({ metadata }: Stored<Endpoints> | Stored<Service>): void {
    const service = objectKey(metadata);
    for (const backend of this.#backends.refresh(service)) this.#deps.endpointsChanged(backend);
    if (!this.#isSynced) return;
    for (const key of this.#users.get(service) ?? []) {
      const ingress = this.#ingresses.get(key);
      if (ingress !== undefined) this.#apply(ingress);
      this.#loop.add(key);
    }
  }

  /** Notes which Services an Ingress sends traffic to, instead of those it did before. */
  #index(key: ObjectKey, refs: readonly BackendRef[]): void {
    for (const service of this.#services.get(key) ?? []) remove(this.#users, service, key);
    const services = new Set(refs.map(objectKey));
    for (const service of services) add(this.#users, service, key);
    if (services.size > 0) this.#services.set(key, services);
    else this.#services.delete(key);
  }
}

function add<V>(sets: Map<ObjectKey, Set<V>>, key: ObjectKey, value: V): void {
  sets.set(key, (sets.get(key) ?? new Set<V>()).add(value));
}

function remove<V>(sets: Map<ObjectKey, Set<V>>, key: ObjectKey, value: V): void {
  const set = sets.get(key);
  set?.delete(value);
  if (set?.size === 0) sets.delete(key);
}

function isSameSpec(applied: Applied | undefined, { metadata }: Stored<Ingress>): boolean {
  return applied?.uid === metadata.uid && applied.generation === metadata.generation;
}

function isReady({ status }: Stored<Ingress>): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
}

import { type Ingress, type IngressPath, type IngressTls, type ObjectKey, objectKey } from "@rouse/shared";
import type { Backend } from "../balance/backend.ts";
import type { Backends } from "../balance/backends.ts";
import {
  type BackendRef,
  backendRef,
  type EntryPoint,
  RoutingTable,
  type TableIngress,
} from "../route/routing-table.ts";

/**
 * Everything that follows from the ingresses in force: the routing tables, the backends that are kept, the Secrets named
 * for hosts. A change of one ingress costs the same however many others there are, and is done within one call, so that
 * every request sees one configuration (C-118).
 */
export class RoutesInForce {
  readonly table: RoutingTable<Backend>;
  /** The same, unless the table is of the public entry point: what the inside knows. */
  readonly inner: RoutingTable<Backend>;
  readonly #backends: Backends;
  readonly #specs = new Map<ObjectKey, Ingress["spec"]>();
  /** By host, the Secrets that ingresses name for it. */
  readonly #secrets = new Map<string, Map<ObjectKey, ObjectKey>>();
  /** By host, the ingresses that lead to it under another name. */
  readonly #renaming = new Map<string, Set<ObjectKey>>();

  constructor(backends: Backends, entry: EntryPoint) {
    const backend = (ref: BackendRef): Backend => backends.of(ref);
    this.#backends = backends;
    this.table = new RoutingTable({ entry, backend });
    this.inner = entry === "private" ? this.table : new RoutingTable({ entry: "private", backend });
  }

  /** Puts an ingress in force. Returns the others that it concerns: those it shares a host with or that lead to one. */
  set(ingress: TableIngress): ReadonlySet<ObjectKey> {
    const { key, spec } = ingress;
    const hosts = new Set([...this.table.set(ingress), ...(this.#hasInner ? this.inner.set(ingress) : [])]);
    this.#unindex(key);
    this.#specs.set(key, spec);
    for (const [host, secret] of secretsOf(spec)) added(this.#secrets, host, new Map()).set(key, secret);
    for (const host of renamedTo(spec)) added(this.#renaming, host, new Set<ObjectKey>()).add(key);
    this.#backends.setUsed(key, backendsOf(spec));
    return this.#concerned(hosts, key);
  }

  /** Takes an ingress out. Returns the others that it concerned. */
  delete(key: ObjectKey): ReadonlySet<ObjectKey> {
    const hosts = new Set([...this.table.delete(key), ...(this.#hasInner ? this.inner.delete(key) : [])]);
    this.#unindex(key);
    this.#backends.setUsed(key, []);
    return this.#concerned(hosts, key);
  }

  /** The Secret that is named for the host, by the ingress that has it if that one names any. */
  secretOf(host: string): ObjectKey | undefined {
    const named = this.#secrets.get(host);
    const owner = this.table.claimants(host).find((key) => named?.has(key) === true);
    return owner === undefined ? named?.values().next().value : named?.get(owner);
  }

  get #hasInner(): boolean {
    return this.inner !== this.table;
  }

  #unindex(key: ObjectKey): void {
    const spec = this.#specs.get(key);
    if (spec === undefined) return;
    this.#specs.delete(key);
    for (const [host] of secretsOf(spec)) removed(this.#secrets, host, key);
    for (const host of renamedTo(spec)) removed(this.#renaming, host, key);
  }

  #concerned(hosts: ReadonlySet<string>, key: ObjectKey): ReadonlySet<ObjectKey> {
    const concerned = new Set<ObjectKey>();
    for (const host of hosts) {
      for (const claimant of this.table.claimants(host)) concerned.add(claimant);
      for (const renaming of this.#renaming.get(host) ?? []) concerned.add(renaming);
    }
    concerned.delete(key);
    return concerned;
  }
}

/** Where an Ingress sends traffic: splits with a share of it, or lone ones. */
export function backendsOf(spec: Ingress["spec"]): readonly BackendRef[] {
  return spec.rules.flatMap((rule) => rule.http.paths).flatMap(backendsOfPath);
}

/** As `backendsOf`, of one path. */
export function backendsOfPath({ splits }: IngressPath): readonly BackendRef[] {
  return splits.filter(({ percent }) => percent > 0 || splits.length === 1).map(backendRef);
}

function secretsOf({ tls = [] }: Ingress["spec"]): readonly (readonly [string, ObjectKey])[] {
  return tls.flatMap(secretsOfEntry);
}

function secretsOfEntry({
  hosts = [],
  secretName,
  secretNamespace,
}: IngressTls): readonly [string, ObjectKey][] {
  if (secretName === undefined || secretNamespace === undefined) return [];
  const key = objectKey({ namespace: secretNamespace, name: secretName });
  return hosts.map((host) => [host.toLowerCase(), key]);
}

function renamedTo({ rules }: Ingress["spec"]): readonly string[] {
  return rules
    .flatMap(({ http }) => http.paths)
    .flatMap(({ rewriteHost = "" }) => (rewriteHost === "" ? [] : rewriteHost.toLowerCase()));
}

function added<V>(map: Map<string, V>, key: string, first: V): V {
  const present = map.get(key) ?? first;
  map.set(key, present);
  return present;
}

function removed(
  map: Map<string, { readonly size: number; delete(key: ObjectKey): boolean }>,
  host: string,
  key: ObjectKey,
): void {
  const present = map.get(host);
  present?.delete(key);
  if (present?.size === 0) map.delete(host);
}

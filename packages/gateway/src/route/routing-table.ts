import type { Ingress, IngressPath, IngressRule, IngressSplit, ObjectKey } from "@rouse/shared";

/** A Service that requests are sent to, by the port of the Ingress: a number or a name. */
export interface BackendRef {
  readonly namespace: string;
  readonly name: string;
  readonly port: number | string;
}

export type FieldList = readonly (readonly [name: string, value: string])[];

/** One weighted way of a path. `B` is what the table's owner makes of a backend. */
export interface Split<B> {
  readonly backend: B;
  readonly percent: number;
  readonly setHeaders: FieldList;
}

export interface RoutePath<B> {
  /** Literal beginning of the request path. */
  readonly prefix: string;
  /** Fields the request must have, with exactly these values. */
  readonly matches: FieldList;
  readonly rewriteHost: string | undefined;
  readonly setHeaders: FieldList;
  /** Those with a percentage above 0. */
  readonly splits: readonly Split<B>[];
  readonly percentTotal: number;
  /** Plain requests are told to come by TLS. C-116 */
  readonly isRedirected: boolean;
  /** What it is part of, for those who ask what is in force (C-121). */
  readonly ingress: TableIngress;
}

/** What of a request decides its path. */
export interface RoutedRequest {
  readonly host: string;
  readonly target: string;
  get(name: string): string | undefined;
}

export interface TableIngress {
  readonly key: ObjectKey;
  readonly spec: Ingress["spec"];
  /** RFC 3339. Of two that want a host the older one has it (C-106). */
  readonly createdAt: string;
}

/** The entry a request came in by. `private` serves cluster-local rules as well. C-105. */
export type EntryPoint = "public" | "private";

export interface RoutingTableOptions<B> {
  readonly entry: EntryPoint;
  readonly backend: (ref: BackendRef) => B;
}

/** What one ingress has for one host. */
interface Claim<B> {
  readonly ingress: TableIngress;
  readonly paths: readonly RoutePath<B>[];
}

const ANY_HOST = "*";

/**
 * Which path a request takes: the host exactly, without case and port; of its paths the one with the longest prefix,
 * and among equals the one with more header matches first (C-106..C-108). An ingress is put in or taken out within one
 * call, at a cost that does not depend on how many others there are, so every request sees one configuration.
 */
export class RoutingTable<B> {
  readonly #options: RoutingTableOptions<B>;
  /** Per host those who want it, oldest first: the first one has it. */
  readonly #claims = new Map<string, readonly Claim<B>[]>();
  readonly #hostsOf = new Map<ObjectKey, readonly string[]>();

  constructor(options: RoutingTableOptions<B>) {
    this.#options = options;
  }

  /** Puts an ingress in force, in place of what it was before. Returns the hosts it has, had or wants. */
  set(ingress: TableIngress): ReadonlySet<string> {
    const concerned = new Set(this.delete(ingress.key));
    const hosts = this.#pathsByHost(ingress);
    for (const [host, paths] of hosts) {
      const others = this.#claims.get(host) ?? [];
      this.#claims.set(host, [...others, { ingress, paths: paths.sort(moreSpecificFirst) }].sort(olderFirst));
      concerned.add(host);
    }
    if (hosts.size > 0) this.#hostsOf.set(ingress.key, [...hosts.keys()]);
    return concerned;
  }

  /** Returns the hosts it had or wanted. */
  delete(key: ObjectKey): readonly string[] {
    const hosts = this.#hostsOf.get(key) ?? [];
    this.#hostsOf.delete(key);
    for (const host of hosts) {
      const left = (this.#claims.get(host) ?? []).filter(({ ingress }) => ingress.key !== key);
      if (left.length > 0) this.#claims.set(host, left);
      else this.#claims.delete(host);
    }
    return hosts;
  }

  /** A host that this ingress wants and an older one has; `undefined` if there is none. */
  conflictOf(key: ObjectKey): string | undefined {
    return this.#hostsOf.get(key)?.findLast((host) => this.#claims.get(host)?.[0]?.ingress.key !== key);
  }

  /** Everyone who wants the host, the one who has it first. */
  claimants(host: string): readonly ObjectKey[] {
    return (this.#claims.get(host) ?? []).map(({ ingress }) => ingress.key);
  }

  #pathsByHost(ingress: TableIngress): ReadonlyMap<string, RoutePath<B>[]> {
    const { spec } = ingress;
    const { entry, backend } = this.#options;
    const hosts = new Map<string, RoutePath<B>[]>();
    for (const rule of spec.rules) {
      if (entry === "public" && !isPublic(rule)) continue;
      const paths = rule.http.paths.map((path) =>
        routePath(path, { ingress, isRedirected: isRedirected(rule, spec) }, backend),
      );
      for (const host of hostsOf(rule)) hosts.set(host, [...(hosts.get(host) ?? []), ...paths]);
    }
    return hosts;
  }

  /** `undefined`: nobody knows the host, or none of its paths fits. */
  find(request: RoutedRequest): RoutePath<B> | undefined {
    const paths = this.#pathsOf(hostName(request.host)) ?? this.#pathsOf(ANY_HOST);
    if (paths === undefined) return undefined;
    const query = request.target.indexOf("?");
    const path = query < 0 ? request.target : request.target.slice(0, query);
    for (const candidate of paths) {
      if (!path.startsWith(candidate.prefix) && candidate.prefix !== "/") continue;
      if (candidate.matches.every(([name, value]) => request.get(name) === value)) return candidate;
    }
    return undefined;
  }

  /** Whether a host has any path at all, without the catch-all's. */
  knows(host: string): boolean {
    return this.#claims.has(hostName(host));
  }

  /** Every path of a host, without the catch-all's. */
  pathsOf(host: string): readonly RoutePath<B>[] {
    return this.#pathsOf(hostName(host)) ?? [];
  }

  get hostCount(): number {
    return this.#claims.size;
  }

  #pathsOf(host: string): readonly RoutePath<B>[] | undefined {
    return this.#claims.get(host)?.[0]?.paths;
  }
}

/** Host without port, in lower case. An IPv6 address keeps its brackets. */
export function hostName(authority: string): string {
  const afterAddress = authority.startsWith("[") ? authority.indexOf("]") : 0;
  const colon = authority.indexOf(":", Math.max(0, afterAddress));
  return (colon < 0 ? authority : authority.slice(0, colon)).toLowerCase();
}

function hostsOf(rule: IngressRule): readonly string[] {
  return rule.hosts === undefined || rule.hosts.length === 0 ? [ANY_HOST] : rule.hosts.map(hostName);
}

function isPublic(rule: IngressRule): boolean {
  return rule.visibility !== "ClusterLocal";
}

function routePath<B>(
  path: IngressPath,
  { ingress, isRedirected }: Pick<RoutePath<B>, "ingress" | "isRedirected">,
  backend: (ref: BackendRef) => B,
): RoutePath<B> {
  const isLone = path.splits.length === 1;
  const splits = path.splits
    .map((split) => ({ split, percent: isLone && split.percent === 0 ? 100 : split.percent }))
    .filter(({ percent }) => percent > 0)
    .map(({ split, percent }) => ({
      backend: backend(backendRef(split)),
      percent,
      setHeaders: Object.entries(split.appendHeaders ?? {}),
    }));
  return {
    prefix: path.path === undefined || path.path === "" ? "/" : path.path,
    matches: Object.entries(path.headers ?? {}).map(([name, { exact }]) => [name, exact] as const),
    rewriteHost: path.rewriteHost === "" ? undefined : path.rewriteHost,
    setHeaders: Object.entries(path.appendHeaders ?? {}),
    splits,
    percentTotal: splits.reduce((total, { percent }) => total + percent, 0),
    isRedirected,
    ingress,
  };
}

/** Where there are no certificates there is nothing to be redirected to. */
function isRedirected(rule: IngressRule, { httpOption, tls = [] }: Ingress["spec"]): boolean {
  return httpOption === "Redirected" && tls.length > 0 && isPublic(rule);
}

export function backendRef(split: IngressSplit): BackendRef {
  return { namespace: split.serviceNamespace, name: split.serviceName, port: split.servicePort };
}

/** Sorting is stable, so the order of the list decides among equals. */
function moreSpecificFirst(a: RoutePath<unknown>, b: RoutePath<unknown>): number {
  return b.prefix.length - a.prefix.length || b.matches.length - a.matches.length;
}

function olderFirst({ ingress: a }: Claim<unknown>, { ingress: b }: Claim<unknown>): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

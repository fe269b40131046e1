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
}

/** The entry a request came in by. `private` serves cluster-local rules as well. C-105. */
export type EntryPoint = "public" | "private";

const ANY_HOST = "*";

/**
 * Which path a request takes: the host exactly, without case and port; of its paths the one with the longest prefix,
 * and among equals the one with more header matches first (C-106..C-108). Immutable: a change makes a new table.
 */
export class RoutingTable<B> {
  readonly #hosts: ReadonlyMap<string, readonly RoutePath<B>[]>;
  /** Ingresses that claimed a host another one has. */
  readonly conflicts: ReadonlyMap<ObjectKey, string>;

  private constructor(
    hosts: ReadonlyMap<string, readonly RoutePath<B>[]>,
    conflicts: ReadonlyMap<ObjectKey, string>,
  ) {
    this.#hosts = hosts;
    this.conflicts = conflicts;
  }

  /** Earlier ingresses keep a host that later ones want too (C-106). */
  static build<B>(
    ingresses: readonly TableIngress[],
    options: { readonly entry: EntryPoint; readonly backend: (ref: BackendRef) => B },
  ): RoutingTable<B> {
    const hosts = new Map<string, RoutePath<B>[]>();
    const owners = new Map<string, ObjectKey>();
    const conflicts = new Map<ObjectKey, string>();
    for (const ingress of ingresses) {
      const { key, spec } = ingress;
      const rules = spec.rules.filter((rule) => options.entry === "private" || isPublic(rule));
      for (const rule of rules) {
        const paths = rule.http.paths.map((path) =>
          routePath(path, { ingress, isRedirected: isRedirected(rule, spec) }, options.backend),
        );
        for (const host of hostsOf(rule)) {
          const owner = owners.get(host) ?? key;
          if (owner !== key) {
            conflicts.set(key, host);
            continue;
          }
          owners.set(host, key);
          hosts.set(host, [...(hosts.get(host) ?? []), ...paths]);
        }
      }
    }
    for (const paths of hosts.values()) paths.sort(moreSpecificFirst);
    return new RoutingTable(hosts, conflicts);
  }

  /** `undefined`: nobody knows the host, or none of its paths fits. */
  find(request: RoutedRequest): RoutePath<B> | undefined {
    const paths = this.#hosts.get(hostName(request.host)) ?? this.#hosts.get(ANY_HOST);
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
    return this.#hosts.has(hostName(host));
  }

  /** Every path of a host, without the catch-all's. */
  pathsOf(host: string): readonly RoutePath<B>[] {
    return this.#hosts.get(hostName(host)) ?? [];
  }

  get hostCount(): number {
    return this.#hosts.size;
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

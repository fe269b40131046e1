import {
  apiVersion,
  type DomainMapping,
  type KnativeService,
  KnativeServiceKind,
  type Lister,
  objectKey,
  type Route,
  RouteKind,
  type Service,
  type Stored,
} from "@rouse/shared";
import type { DomainTarget } from "./domain-ingress.ts";

export interface TargetListers {
  readonly services: Lister<Service>;
  readonly knativeServices: Lister<KnativeService>;
  readonly routes: Lister<Route>;
}

/** What a domain is to lead to cannot be found, or is nothing a domain can lead to. */
export class ResolveError extends Error {
  override readonly name = "ResolveError";
}

/**
 * The name within the cluster that a DomainMapping refers to: a Service by its own, a Knative Service or Route by its
 * address. C-128 step 5
 * @throws ResolveError
 */
export function resolveTarget(
  mapping: Stored<DomainMapping>,
  listers: TargetListers,
  clusterDomain: string,
): DomainTarget {
  const { namespace } = mapping.metadata;
  const { ref } = mapping.spec;
  if (ref.namespace !== undefined && ref.namespace !== "" && ref.namespace !== namespace) {
    throw new ResolveError(`the reference is to namespace ${ref.namespace}, the mapping is in ${namespace}`);
  }
  const url = addressOf(mapping, listers, clusterDomain);
  const { hostname, pathname } = parsed(url);
  const suffix = `.${namespace}.svc.${clusterDomain}`;
  const serviceName = hostname.endsWith(suffix) ? hostname.slice(0, -suffix.length) : "";
  if (serviceName === "" || serviceName.includes(".")) {
    throw new ResolveError(`${url} is not a name of the form {name}${suffix}`);
  }
  if (pathname !== "" && pathname !== "/") throw new ResolveError(`${url} has a path`);
  return { host: hostname, serviceName };
}

function addressOf(
  mapping: Stored<DomainMapping>,
  { services, knativeServices, routes }: TargetListers,
  clusterDomain: string,
): string {
  const { namespace } = mapping.metadata;
  const { ref } = mapping.spec;
  const key = objectKey({ namespace, name: ref.name });
  const what = `${ref.kind} ${ref.apiVersion} ${namespace}/${ref.name}`;
  if (ref.kind === "Service" && ref.apiVersion === "v1") {
    if (services.get(key) === undefined) throw new ResolveError(`${what} not found`);
    return `http://${ref.name}.${namespace}.svc.${clusterDomain}`;
  }
  const found =
    ref.kind === KnativeServiceKind.kind && ref.apiVersion === apiVersion(KnativeServiceKind)
      ? knativeServices.get(key)
      : ref.kind === RouteKind.kind && ref.apiVersion === apiVersion(RouteKind)
        ? routes.get(key)
        : undefined;
  if (found === undefined) throw new ResolveError(`${what} not found`);
  const url = found.status?.address?.url;
  if (url === undefined || url === "") throw new ResolveError(`${what} has no address yet`);
  return url;
}

function parsed(url: string): URL {
  if (!URL.canParse(url)) throw new ResolveError(`${url} is not a URL`);
  return new URL(url);
}

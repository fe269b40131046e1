import {
  ClusterDomainClaimKind,
  ConfigurationKind,
  DeploymentKind,
  DomainMappingKind,
  EndpointsKind,
  Informer,
  type InformerDeps,
  IngressKind,
  KnativeServiceKind,
  labels,
  PodAutoscalerKind,
  PodKind,
  RevisionKind,
  RouteKind,
  ServerlessServiceKind,
  ServiceKind,
} from "@rouse/shared";
import { BY_ROUTE, routesOf } from "./labeler/routing-meta.ts";

/** One cache per kind the control plane reads, shared by all reconcilers. */
export type Caches = ReturnType<typeof makeCaches>;

export function makeCaches(deps: InformerDeps) {
  return {
    knativeServices: new Informer(deps, KnativeServiceKind),
    configurations: new Informer(deps, ConfigurationKind).indexBy(BY_ROUTE, routesOf),
    revisions: new Informer(deps, RevisionKind).indexBy(labels.configuration).indexBy(BY_ROUTE, routesOf),
    routes: new Informer(deps, RouteKind),
    ingresses: new Informer(deps, IngressKind),
    deployments: new Informer(deps, DeploymentKind),
    podAutoscalers: new Informer(deps, PodAutoscalerKind),
    pods: new Informer(deps, PodKind).indexBy(labels.revisionUid),
    serverlessServices: new Informer(deps, ServerlessServiceKind),
    services: new Informer(deps, ServiceKind).indexBy(labels.route),
    domainMappings: new Informer(deps, DomainMappingKind),
    clusterDomainClaims: new Informer(deps, ClusterDomainClaimKind),
    endpoints: new Informer(deps, EndpointsKind),
  };
}

/** Resolves once every cache has its first list. */
export async function startCaches(caches: Caches): Promise<void> {
  await Promise.all(Object.values(caches).map((cache) => cache.start()));
}

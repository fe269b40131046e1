import {
  ClusterDomainClaimKind,
  ConfigMapKind,
  ConfigurationKind,
  DeploymentKind,
  DomainMappingKind,
  EndpointsKind,
  EventKind,
  HorizontalPodAutoscalerKind,
  IngressKind,
  type Kind,
  KnativeServiceKind,
  type KubeObject,
  MetricKind,
  NamespaceKind,
  PodAutoscalerKind,
  PodKind,
  RevisionKind,
  RouteKind,
  SecretKind,
  ServerlessServiceKind,
  ServiceKind,
} from "@rouse/shared";
import { usageFailure } from "../failure.ts";

/** What each kind may be called on the command line. `service` is the one users write; the core one is `svc`. */
const NAMES: readonly (readonly [Kind<KubeObject>, ...string[]])[] = [
  [KnativeServiceKind, "service", "services", "ksvc", "kservice"],
  [RevisionKind, "revision", "revisions", "rev"],
  [ConfigurationKind, "configuration", "configurations", "config", "cfg"],
  [RouteKind, "route", "routes", "rt"],
  [DomainMappingKind, "domainmapping", "domainmappings", "dm"],
  [ClusterDomainClaimKind, "clusterdomainclaim", "clusterdomainclaims", "cdc"],
  [PodKind, "pod", "pods", "po"],
  [DeploymentKind, "deployment", "deployments", "deploy"],
  [PodAutoscalerKind, "podautoscaler", "podautoscalers", "kpa", "pa"],
  [HorizontalPodAutoscalerKind, "horizontalpodautoscaler", "horizontalpodautoscalers", "hpa"],
  [ServerlessServiceKind, "serverlessservice", "serverlessservices", "sks"],
  [IngressKind, "ingress", "ingresses", "king"],
  [MetricKind, "metric", "metrics"],
  [ServiceKind, "svc"],
  [EndpointsKind, "endpoints", "ep"],
  [ConfigMapKind, "configmap", "configmaps", "cm"],
  [SecretKind, "secret", "secrets"],
  [EventKind, "event", "events", "ev"],
  [NamespaceKind, "namespace", "namespaces", "ns"],
];

const byName = new Map(NAMES.flatMap(([kind, ...names]) => names.map((name) => [name, kind] as const)));

/** @throws Failure (usage) for a name nothing here has */
export function kindNamed(name: string): Kind<KubeObject> {
  const kind = byName.get(name.toLowerCase());
  if (kind !== undefined) return kind;
  throw usageFailure(`no kind is called "${name}"; known: ${NAMES.map(([, first]) => first).join(", ")}`);
}

/** `service.serving.knative.dev/hello`, `pod/hello-1`: how messages name an object. */
export function objectName(kind: Kind<KubeObject>, name: string): string {
  const singular = kind.kind.toLowerCase();
  return kind.group === "" ? `${singular}/${name}` : `${singular}.${kind.group}/${name}`;
}

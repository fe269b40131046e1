import {
  allKinds,
  apiVersion,
  CustomResourceDefinitionKind,
  EventKind,
  isBuiltIn,
  type Kind,
  type KubeObject,
  resourceName,
} from "@rouse/shared";
import { hasMessage } from "../built-in/message-types.ts";

export type SubresourceName = "status" | "scale" | "log" | "token" | "finalize";

/** One kind's place in the API: how clients may call it and what may be done with it. P-12 */
export interface ApiResource {
  readonly kind: Kind<KubeObject>;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly SubresourceName[];
  /** P-43: kinds whose objects have no generation on the wire. */
  readonly hasGeneration: boolean;
  /** Name of the message of a compiled-in kind; absent for custom resources. */
  readonly message: string | undefined;
  /** The kind its objects are kept as, where this is another view of them. */
  readonly storedAs: Kind<KubeObject>;
}

export const ALL_VERBS: readonly string[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];

interface Names {
  readonly singular?: string;
  readonly short?: readonly string[];
  readonly categories?: readonly string[];
}

const workload = ["all"];
const serving = ["all", "knative", "serving"];
const networking = ["knative-internal", "networking"];

const names: Readonly<Record<string, Names>> = {
  configmaps: { short: ["cm"] },
  services: { short: ["svc"], categories: workload },
  endpoints: { singular: "endpoints", short: ["ep"] },
  pods: { short: ["po"], categories: workload },
  events: { short: ["ev"] },
  "events.events.k8s.io": { short: ["ev"] },
  namespaces: { short: ["ns"] },
  serviceaccounts: { short: ["sa"] },
  nodes: { short: ["no"] },
  "horizontalpodautoscalers.autoscaling": { short: ["hpa"], categories: workload },
  "deployments.apps": { short: ["deploy"], categories: workload },
  "replicasets.apps": { short: ["rs"], categories: workload },
  "customresourcedefinitions.apiextensions.k8s.io": {
    short: ["crd", "crds"],
    categories: ["api-extensions"],
  },
  "services.serving.knative.dev": { short: ["kservice", "ksvc"], categories: serving },
  "configurations.serving.knative.dev": { short: ["config", "cfg"], categories: serving },
  "revisions.serving.knative.dev": { short: ["rev"], categories: serving },
  "routes.serving.knative.dev": { short: ["rt"], categories: serving },
  "domainmappings.serving.knative.dev": { short: ["dm"], categories: serving },
  "serverlessservices.networking.internal.knative.dev": { short: ["sks"], categories: networking },
  "ingresses.networking.internal.knative.dev": {
    singular: "ingress",
    short: ["kingress", "king"],
    categories: networking,
  },
  "certificates.networking.internal.knative.dev": { short: ["kcert"], categories: networking },
  "clusterdomainclaims.networking.internal.knative.dev": { short: ["cdc"], categories: networking },
  "podautoscalers.autoscaling.internal.knative.dev": {
    short: ["kpa", "pa"],
    categories: ["knative-internal", "autoscaling"],
  },
  "metrics.autoscaling.internal.knative.dev": { categories: ["knative-internal", "autoscaling"] },
  "images.caching.internal.knative.dev": { categories: ["knative-internal", "caching"] },
};

/** Built-in kinds whose objects count their generations; custom resources all do. */
const GENERATIONS: ReadonlySet<string> = new Set(["Pod", "Deployment", "ReplicaSet", "EndpointSlice"]);

/** The newer form of the same events. P-67 */
const NewEventKind: Kind<KubeObject> = {
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  isNamespaced: true,
  hasStatus: false,
};

/** Every resource with objects, core first (P-14). */
export const apiResources: readonly ApiResource[] = [
  ...allKinds.map(resourceOf),
  viewOf(NewEventKind, EventKind),
];

/** A resource that only answers questions: nothing is stored. P-22 */
export interface ReviewResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
}

export const reviewResources: readonly ReviewResource[] = [
  {
    group: "authorization.k8s.io",
    version: "v1",
    plural: "selfsubjectaccessreviews",
    kind: "SelfSubjectAccessReview",
  },
  {
    group: "authorization.k8s.io",
    version: "v1",
    plural: "selfsubjectrulesreviews",
    kind: "SelfSubjectRulesReview",
  },
  {
    group: "authentication.k8s.io",
    version: "v1",
    plural: "selfsubjectreviews",
    kind: "SelfSubjectReview",
  },
];

const byPath = new Map(
  apiResources.map((resource) => [`${apiVersion(resource.kind)}/${resource.kind.plural}`, resource] as const),
);
const versions = new Set([
  ...apiResources.map(({ kind }) => apiVersion(kind)),
  ...reviewResources.map(({ group, version }) => `${group}/${version}`),
]);

/** @param version `v1` or `group/version` */
export function findResource(version: string, plural: string): ApiResource | undefined {
  return byPath.get(`${version}/${plural}`);
}

/** Every served group and version, `v1` first. */
export function groupVersions(): readonly string[] {
  return [...versions];
}

function resourceOf(kind: Kind<KubeObject>): ApiResource {
  const { singular = kind.kind.toLowerCase(), short = [], categories = [] } = names[resourceName(kind)] ?? {};
  return {
    kind,
    singular,
    shortNames: short,
    categories,
    verbs: verbsOf(kind),
    subresources: subresourcesOf(kind),
    hasGeneration: !isBuiltIn(kind) || GENERATIONS.has(kind.kind),
    message: isBuiltIn(kind) && hasMessage(kind.kind) ? kind.kind : undefined,
    storedAs: kind,
  };
}

function viewOf(kind: Kind<KubeObject>, storedAs: Kind<KubeObject>): ApiResource {
  return { ...resourceOf(kind), message: "events.Event", storedAs };
}

function verbsOf(kind: Kind<KubeObject>): readonly string[] {
  if (kind === CustomResourceDefinitionKind) return ["get", "list", "watch"]; // ours are compiled in
  return kind.kind === "Namespace" ? ALL_VERBS.filter((verb) => verb !== "deletecollection") : ALL_VERBS;
}

function subresourcesOf(kind: Kind<KubeObject>): readonly SubresourceName[] {
  const status: readonly SubresourceName[] = kind.hasStatus ? ["status"] : [];
  if (kind.group === "apps") return ["scale", ...status];
  if (kind.group !== "") return status;
  switch (kind.kind) {
    case "Pod":
      return ["log", ...status];
    case "Namespace":
      return ["finalize", ...status];
    case "ServiceAccount":
      return ["token"];
    default:
      return status;
  }
}

import { apiVersion, type Kind, type KubeObject } from "../object.ts";
import { MutatingWebhookConfigurationKind, ValidatingWebhookConfigurationKind } from "./admission.ts";
import { HorizontalPodAutoscalerKind } from "./autoscaling.ts";
import { LeaseKind } from "./coordination.ts";
import {
  ConfigMapKind,
  DeploymentKind,
  EndpointsKind,
  EventKind,
  NamespaceKind,
  PodKind,
  SecretKind,
  ServiceKind,
} from "./core.ts";
import { EndpointSliceKind } from "./discovery.ts";
import {
  CertificateKind,
  CustomResourceDefinitionKind,
  ImageKind,
  NodeKind,
  ReplicaSetKind,
  ServiceAccountKind,
} from "./hosted.ts";
import {
  ClusterDomainClaimKind,
  IngressKind,
  MetricKind,
  PodAutoscalerKind,
  ServerlessServiceKind,
} from "./internal.ts";
import {
  ConfigurationKind,
  DomainMappingKind,
  KnativeServiceKind,
  RevisionKind,
  RouteKind,
} from "./serving.ts";

/** Every kind there is here, in the order in which clients prefer them (P-14: core first). */
export const allKinds: readonly Kind<KubeObject>[] = [
  ConfigMapKind,
  SecretKind,
  ServiceKind,
  EndpointsKind,
  PodKind,
  EventKind,
  NamespaceKind,
  ServiceAccountKind,
  NodeKind,
  DeploymentKind,
  ReplicaSetKind,
  HorizontalPodAutoscalerKind,
  EndpointSliceKind,
  LeaseKind,
  CustomResourceDefinitionKind,
  MutatingWebhookConfigurationKind,
  ValidatingWebhookConfigurationKind,
  KnativeServiceKind,
  ConfigurationKind,
  RevisionKind,
  RouteKind,
  DomainMappingKind,
  ServerlessServiceKind,
  IngressKind,
  CertificateKind,
  ClusterDomainClaimKind,
  PodAutoscalerKind,
  MetricKind,
  ImageKind,
];

/** Finds kinds by what objects and paths call them. */
export class KindRegistry implements Iterable<Kind<KubeObject>> {
  readonly #kinds: readonly Kind<KubeObject>[];
  readonly #byObject = new Map<string, Kind<KubeObject>>();

  constructor(kinds: readonly Kind<KubeObject>[] = allKinds) {
    this.#kinds = kinds;
    for (const kind of kinds) this.#byObject.set(`${apiVersion(kind)} ${kind.kind}`, kind);
  }

  /** The kind of objects that carry this `apiVersion` and `kind`. */
  of(object: { readonly apiVersion: string; readonly kind: string }): Kind<KubeObject> | undefined {
    return this.#byObject.get(`${object.apiVersion} ${object.kind}`);
  }

  [Symbol.iterator](): Iterator<Kind<KubeObject>> {
    return this.#kinds[Symbol.iterator]();
  }
}

/** `services.serving.knative.dev`, `pods`: how messages name a kind's resource. */
export function resourceName(kind: { readonly group: string; readonly plural: string }): string {
  return kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
}

/** Whether the reference has the kind compiled in; the others are custom resources, with stricter updates (P-48). */
export function isBuiltIn(kind: { readonly group: string }): boolean {
  return !kind.group.endsWith(".knative.dev");
}

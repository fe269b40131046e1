import type { Condition } from "../conditions.ts";
import type { Kind, KubeObject, ObjectMeta } from "../object.ts";
import type { PodSpec } from "./core.ts";

/** The pod spec subset of a revision and the four fields of its own. C-2. */
export interface RevisionSpec extends PodSpec {
  readonly containerConcurrency?: number;
  readonly timeoutSeconds?: number;
  readonly responseStartTimeoutSeconds?: number;
  readonly idleTimeoutSeconds?: number;
}

export interface RevisionTemplate {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec: RevisionSpec;
}

export interface TrafficTarget {
  readonly tag?: string;
  readonly revisionName?: string;
  readonly configurationName?: string;
  readonly latestRevision?: boolean;
  readonly percent?: number;
  /** Status only. */
  readonly url?: string;
}

interface CommonStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ConfigurationStatus extends CommonStatus {
  readonly latestCreatedRevisionName?: string;
  readonly latestReadyRevisionName?: string;
}

export interface RouteStatus extends CommonStatus {
  readonly url?: string;
  readonly address?: { readonly url?: string };
  readonly traffic?: readonly TrafficTarget[];
}

export interface KnativeService extends KubeObject {
  readonly spec: { readonly template: RevisionTemplate; readonly traffic?: readonly TrafficTarget[] };
  readonly status?: ConfigurationStatus & RouteStatus;
}

export interface Configuration extends KubeObject {
  readonly spec: { readonly template: RevisionTemplate };
  readonly status?: ConfigurationStatus;
}

export interface Route extends KubeObject {
  readonly spec: { readonly traffic?: readonly TrafficTarget[] };
  readonly status?: RouteStatus;
}

export interface Revision extends KubeObject {
  readonly spec: RevisionSpec;
  readonly status?: CommonStatus & {
    readonly actualReplicas?: number;
    readonly desiredReplicas?: number;
    readonly containerStatuses?: readonly { readonly name?: string; readonly imageDigest?: string }[];
    readonly initContainerStatuses?: readonly { readonly name?: string; readonly imageDigest?: string }[];
    readonly logUrl?: string;
  };
}

/** Maps a domain, its name, to something with an address. C-128. */
export interface DomainMapping extends KubeObject {
  readonly spec: {
    readonly ref: {
      readonly kind: string;
      readonly apiVersion: string;
      readonly name: string;
      readonly namespace?: string;
    };
    readonly tls?: { readonly secretName: string };
  };
  readonly status?: CommonStatus & {
    readonly url?: string;
    readonly address?: { readonly url?: string };
  };
}

const serving = { group: "serving.knative.dev", version: "v1", isNamespaced: true, hasStatus: true } as const;

export const KnativeServiceKind: Kind<KnativeService> = { ...serving, kind: "Service", plural: "services" };
export const ConfigurationKind: Kind<Configuration> = {
  ...serving,
  kind: "Configuration",
  plural: "configurations",
};
export const RouteKind: Kind<Route> = { ...serving, kind: "Route", plural: "routes" };
export const RevisionKind: Kind<Revision> = { ...serving, kind: "Revision", plural: "revisions" };
/** Served in this version alone. C-1. */
export const DomainMappingKind: Kind<DomainMapping> = {
  ...serving,
  version: "v1beta1",
  kind: "DomainMapping",
  plural: "domainmappings",
};

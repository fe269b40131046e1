import type { Condition } from "../conditions.ts";
import type { Kind, KubeObject } from "../object.ts";

interface CommonStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ScaleTargetRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

export type ProtocolType = "http1" | "h2c";

/** S-18. */
export interface PodAutoscaler extends KubeObject {
  readonly spec: {
    /** 0 = unlimited. */
    readonly containerConcurrency?: number;
    readonly scaleTargetRef: ScaleTargetRef;
    readonly reachability?: "" | "Reachable" | "Unreachable";
    readonly protocolType: ProtocolType;
  };
  readonly status?: CommonStatus & {
    readonly serviceName?: string;
    readonly metricsServiceName?: string;
    readonly desiredScale?: number;
    readonly actualScale?: number;
  };
}

/** S-23. Windows are in nanoseconds. */
export interface Metric extends KubeObject {
  readonly spec: {
    readonly stableWindow: number;
    readonly panicWindow: number;
    readonly scrapeTarget: string;
  };
  readonly status?: CommonStatus;
}

/** K-7..K-10. */
export interface ServerlessService extends KubeObject {
  readonly spec: {
    readonly mode: "Serve" | "Proxy";
    readonly objectRef: ScaleTargetRef;
    readonly protocolType: ProtocolType;
    /** 0 = all. */
    readonly numActivators?: number;
  };
  readonly status?: CommonStatus & {
    readonly serviceName?: string;
    readonly privateServiceName?: string;
  };
}

export interface IngressSplit {
  readonly serviceNamespace: string;
  readonly serviceName: string;
  readonly servicePort: number | string;
  readonly percent: number;
  readonly appendHeaders?: Readonly<Record<string, string>>;
}

export interface IngressPath {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, { readonly exact: string }>>;
  readonly rewriteHost?: string;
  readonly appendHeaders?: Readonly<Record<string, string>>;
  readonly splits: readonly IngressSplit[];
}

export interface IngressRule {
  readonly hosts: readonly string[];
  readonly visibility?: "ExternalIP" | "ClusterLocal";
  readonly http: { readonly paths: readonly IngressPath[] };
}

/** C §9.1. */
export interface Ingress extends KubeObject {
  readonly spec: {
    readonly rules: readonly IngressRule[];
    readonly httpOption?: "Enabled" | "Redirected";
    readonly tls?: readonly IngressTls[];
  };
  readonly status?: CommonStatus & {
    readonly publicLoadBalancer?: LoadBalancer;
    readonly privateLoadBalancer?: LoadBalancer;
  };
}

/** The certificate for some hosts: a Secret with `tls.crt` and `tls.key`. C-117. */
export interface IngressTls {
  readonly hosts?: readonly string[];
  readonly secretName?: string;
  readonly secretNamespace?: string;
}

/** Where an entry point is reached. C-103. */
export interface LoadBalancer {
  readonly ingress?: readonly {
    readonly ip?: string;
    readonly domain?: string;
    readonly domainInternal?: string;
    readonly meshOnly?: boolean;
  }[];
}

/** Gives a namespace the right to a domain, its name. C-132. */
export interface ClusterDomainClaim extends KubeObject {
  readonly spec: { readonly namespace: string };
}

const alpha = { version: "v1alpha1", isNamespaced: true, hasStatus: true } as const;
const AUTOSCALING = "autoscaling.internal.knative.dev";
const NETWORKING = "networking.internal.knative.dev";

export const PodAutoscalerKind: Kind<PodAutoscaler> = {
  ...alpha,
  group: AUTOSCALING,
  kind: "PodAutoscaler",
  plural: "podautoscalers",
};
export const MetricKind: Kind<Metric> = { ...alpha, group: AUTOSCALING, kind: "Metric", plural: "metrics" };
export const ServerlessServiceKind: Kind<ServerlessService> = {
  ...alpha,
  group: NETWORKING,
  kind: "ServerlessService",
  plural: "serverlessservices",
};
export const IngressKind: Kind<Ingress> = {
  ...alpha,
  group: NETWORKING,
  kind: "Ingress",
  plural: "ingresses",
};
export const ClusterDomainClaimKind: Kind<ClusterDomainClaim> = {
  group: NETWORKING,
  version: "v1alpha1",
  kind: "ClusterDomainClaim",
  plural: "clusterdomainclaims",
  isNamespaced: false,
  hasStatus: false,
};

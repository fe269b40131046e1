import type { Kind, KubeObject } from "../object.ts";

// Kinds that are kept for clients of the API: no component of ours reads or writes them.

const core = { group: "", version: "v1" } as const;

export const ServiceAccountKind: Kind<KubeObject> = {
  ...core,
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  isNamespaced: true,
  hasStatus: false,
};
export const NodeKind: Kind<KubeObject> = {
  ...core,
  kind: "Node",
  plural: "nodes",
  isNamespaced: false,
  hasStatus: true,
};
export const ReplicaSetKind: Kind<KubeObject> = {
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  isNamespaced: true,
  hasStatus: true,
};
export const CustomResourceDefinitionKind: Kind<KubeObject> = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  isNamespaced: false,
  hasStatus: true,
};
export const CertificateKind: Kind<KubeObject> = {
  group: "networking.internal.knative.dev",
  version: "v1alpha1",
  kind: "Certificate",
  plural: "certificates",
  isNamespaced: true,
  hasStatus: true,
};
export const ImageKind: Kind<KubeObject> = {
  group: "caching.internal.knative.dev",
  version: "v1alpha1",
  kind: "Image",
  plural: "images",
  isNamespaced: true,
  hasStatus: true,
};

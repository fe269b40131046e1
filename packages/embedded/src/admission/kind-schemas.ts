import {
  apiVersion,
  ClusterDomainClaimKind,
  ConfigMapKind,
  ConfigurationKind,
  DeploymentKind,
  DomainMappingKind,
  EndpointsKind,
  IngressKind,
  type Kind,
  KnativeServiceKind,
  type KubeObject,
  NamespaceKind,
  PodKind,
  RevisionKind,
  RouteKind,
  SecretKind,
  ServiceKind,
} from "@rouse/shared";
import { ingressSpec } from "./ingress-schema.ts";
import type { Schema } from "./schema.ts";

/** Shapes of the kinds people write, from serving.md C-2, C-151..C-153 and the public API reference of Kubernetes. */
type Fields = Readonly<Record<string, Schema>>;

const any: Schema = { type: "any" };
const text: Schema = { type: "string" };
const integer: Schema = { type: "integer" };
const flag: Schema = { type: "boolean" };
const port: Schema = { type: "integer-or-string" };
const quantity: Schema = { type: "number-or-string" };
const texts: Schema = { type: "list", of: text, many: "strings" };
const textMap: Schema = { type: "map", of: text, many: "strings" };
const quantities: Schema = { type: "map", of: quantity, many: "quantities" };
const anyMap: Schema = { type: "object", fields: {}, isOpen: true };

function object(fields: Fields, ...required: readonly string[]): Schema {
  return { type: "object", fields, required };
}

function list(many: string, of: Schema, uniqueBy?: string): Schema {
  return { type: "list", many, of, ...(uniqueBy === undefined ? {} : { uniqueBy }) };
}

const metadataFields: Fields = {
  name: text,
  generateName: text,
  namespace: text,
  labels: textMap,
  annotations: textMap,
  finalizers: texts,
  ownerReferences: list("owner references", anyMap),
  // Written by the server; manifests that were read from one carry them.
  uid: text,
  resourceVersion: text,
  generation: integer,
  creationTimestamp: any,
  deletionTimestamp: any,
  deletionGracePeriodSeconds: any,
  selfLink: any,
  managedFields: any,
};
const metadata = object(metadataFields);
/** C-2: unknown keys of a template's metadata are preserved. */
const templateMetadata: Schema = { type: "object", fields: metadataFields, isOpen: true };

const probe = object({
  httpGet: object({
    path: text,
    port,
    host: text,
    scheme: { type: "string", oneOf: ["HTTP", "HTTPS"] },
    httpHeaders: list("headers", object({ name: text, value: text }, "name", "value")),
  }),
  tcpSocket: object({ port, host: text }),
  grpc: object({ port: integer, service: text }),
  exec: object({ command: texts }),
  initialDelaySeconds: integer,
  periodSeconds: integer,
  timeoutSeconds: integer,
  successThreshold: integer,
  failureThreshold: integer,
  terminationGracePeriodSeconds: integer,
});

const container = object({
  name: text,
  image: text,
  command: texts,
  args: texts,
  workingDir: text,
  env: list("variables", object({ name: text, value: text, valueFrom: anyMap }), "name"),
  envFrom: list("sources of variables", object({ prefix: text, configMapRef: anyMap, secretRef: anyMap })),
  ports: list(
    "ports",
    object(
      { name: text, containerPort: integer, protocol: text, hostPort: integer, hostIP: text },
      "containerPort",
    ),
  ),
  resources: object({ requests: quantities, limits: quantities, claims: any }),
  volumeMounts: list("volume mounts", anyMap, "mountPath"),
  volumeDevices: any,
  imagePullPolicy: { type: "string", oneOf: ["Always", "IfNotPresent", "Never"] },
  readinessProbe: probe,
  livenessProbe: probe,
  startupProbe: probe,
  securityContext: anyMap,
  terminationMessagePath: text,
  terminationMessagePolicy: text,
  lifecycle: anyMap,
  stdin: flag,
  stdinOnce: flag,
  tty: flag,
  resizePolicy: any,
  restartPolicy: text,
});

const podSpecFields: Fields = {
  containers: list("containers", container),
  initContainers: list("containers", container),
  volumes: list("volumes", anyMap),
  serviceAccountName: text,
  serviceAccount: text,
  imagePullSecrets: list("references", anyMap),
  enableServiceLinks: flag,
  automountServiceAccountToken: flag,
  affinity: anyMap,
  topologySpreadConstraints: any,
  hostAliases: any,
  nodeSelector: textMap,
  runtimeClassName: text,
  tolerations: any,
  securityContext: anyMap,
  shareProcessNamespace: flag,
  priorityClassName: text,
  schedulerName: text,
  dnsPolicy: text,
  dnsConfig: anyMap,
  hostIPC: flag,
  hostPID: flag,
  hostNetwork: flag,
  restartPolicy: text,
  terminationGracePeriodSeconds: integer,
  activeDeadlineSeconds: integer,
  nodeName: text,
  hostname: text,
  subdomain: text,
  readinessGates: any,
  ephemeralContainers: any,
  os: any,
  overhead: any,
  preemptionPolicy: text,
  priority: integer,
  resourceClaims: any,
  resources: any,
  schedulingGates: any,
  setHostnameAsFQDN: flag,
  hostUsers: flag,
};
const podSpec = object(podSpecFields, "containers");

const revisionSpec = object(
  {
    ...podSpecFields,
    containerConcurrency: integer,
    timeoutSeconds: integer,
    responseStartTimeoutSeconds: integer,
    idleTimeoutSeconds: integer,
  },
  "containers",
);
const revisionTemplate = object({ metadata: templateMetadata, spec: revisionSpec }, "spec");

const traffic = list(
  "traffic targets",
  object({
    tag: text,
    revisionName: text,
    configurationName: text,
    latestRevision: flag,
    percent: integer,
    url: text,
  }),
);

const specs: ReadonlyMap<
  Kind<KubeObject>,
  { readonly fields: Fields; readonly required?: readonly string[] }
> = new Map<Kind<KubeObject>, { readonly fields: Fields; readonly required?: readonly string[] }>([
  [
    KnativeServiceKind,
    { fields: { spec: object({ template: revisionTemplate, traffic }, "template") }, required: ["spec"] },
  ],
  [
    ConfigurationKind,
    { fields: { spec: object({ template: revisionTemplate }, "template") }, required: ["spec"] },
  ],
  [RevisionKind, { fields: { spec: revisionSpec }, required: ["spec"] }],
  [RouteKind, { fields: { spec: object({ traffic }, "traffic") }, required: ["spec"] }],
  [
    DomainMappingKind,
    {
      fields: {
        spec: object(
          {
            ref: object({
              kind: text,
              apiVersion: text,
              name: text,
              namespace: text,
              group: text,
              address: text,
            }),
            tls: object({ secretName: text }, "secretName"),
          },
          "ref",
        ),
      },
      required: ["spec"],
    },
  ],
  [
    ClusterDomainClaimKind,
    { fields: { spec: object({ namespace: text }, "namespace") }, required: ["spec"] },
  ],
  [IngressKind, { fields: { spec: ingressSpec }, required: ["spec"] }],
  [SecretKind, { fields: { data: textMap, stringData: textMap, type: text, immutable: flag } }],
  [ConfigMapKind, { fields: { data: textMap, binaryData: textMap, immutable: flag } }],
  [NamespaceKind, { fields: { spec: anyMap } }],
  [
    ServiceKind,
    {
      fields: {
        spec: {
          type: "object",
          isOpen: true,
          fields: {
            type: text,
            clusterIP: text,
            externalName: text,
            selector: textMap,
            ports: list("ports", {
              type: "object",
              isOpen: true,
              fields: { name: text, port: integer, targetPort: port, protocol: text },
              required: ["port"],
            }),
          },
        },
      },
      required: ["spec"],
    },
  ],
  [
    DeploymentKind,
    {
      fields: {
        spec: {
          type: "object",
          isOpen: true,
          fields: {
            replicas: integer,
            selector: { type: "object", isOpen: true, fields: { matchLabels: textMap } },
            template: object({ metadata: templateMetadata, spec: podSpec }, "spec"),
            progressDeadlineSeconds: integer,
          },
          required: ["selector", "template"],
        },
      },
      required: ["spec"],
    },
  ],
  [PodKind, { fields: { spec: podSpec }, required: ["spec"] }],
  [EndpointsKind, { fields: { subsets: list("subsets", anyMap) } }],
]);

/** The shape of a whole manifest of that kind. Kinds nobody writes by hand are checked in their metadata alone. */
export function schemaOf(kind: Kind<KubeObject>): Schema {
  const own = specs.get(kind);
  return {
    type: "object",
    fields: {
      apiVersion: { type: "string", oneOf: [apiVersion(kind)] },
      kind: { type: "string", oneOf: [kind.kind] },
      metadata,
      // Manifests that were read from a server carry a status. It is not taken over.
      ...(kind.hasStatus ? { status: any } : {}),
      ...own?.fields,
    },
    required: ["metadata", ...(own?.required ?? [])],
    isOpen: own === undefined,
  };
}

import {
  controllerOf,
  type Endpoints,
  type Ingress,
  type LoadBalancer,
  labels,
  type Route,
  type Service,
  type Stored,
} from "@rouse/shared";
import { without } from "../metadata-keys.ts";

const CLUSTER_LOCAL = "cluster-local";
const PORT = { protocol: "TCP", port: 80, targetPort: 80 } as const;
const H2C_PORT = { ...PORT, name: "http2", appProtocol: "kubernetes.io/h2c" } as const;

/** The first shape of a placeholder, and what it keeps of it until the Ingress says where it is reached. C-79 */
export function makePlaceholder(
  route: Stored<Route>,
  options: { readonly name: string; readonly externalName: string },
): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: options.name,
      namespace: route.metadata.namespace,
      labels: { ...without(route.metadata.labels, [labels.visibility]), [labels.route]: route.metadata.name },
      annotations: { ...route.metadata.annotations },
      ownerReferences: [controllerOf(route)],
    },
    spec: externalName(options.externalName),
  };
}

/** Where a placeholder leads in the end: its spec, and the address its Endpoints have if it is to have any. */
export interface PlaceholderShape {
  readonly spec: Service["spec"];
  readonly endpointIp?: string;
}

/**
 * The final shape of a placeholder, from where the Ingress says it is reached; `undefined` where it does not say so, or
 * not in one word: then it stays as it is. C-80
 */
export function placeholderShape(
  status: Ingress["status"],
  placeholder: Pick<Service, "metadata">,
): PlaceholderShape | undefined {
  const entry = loneEntry(status, placeholder);
  if (entry === undefined) return undefined;
  const { ip = "", domainInternal = "", domain = "", meshOnly = false } = entry;
  if (ip !== "") return { spec: { type: "ClusterIP", clusterIP: "None", ports: [H2C_PORT] }, endpointIp: ip };
  if (domainInternal !== "") return { spec: externalName(domainInternal) };
  if (domain !== "") return { spec: externalName(domain) };
  if (meshOnly) return { spec: { type: "ClusterIP", ports: [{ ...PORT, name: "http" }] } };
  return undefined;
}

/** The Endpoints of a headless placeholder, of its own name. C-80 */
export function placeholderEndpoints(route: Stored<Route>, placeholder: Service, ip: string): Endpoints {
  const { name } = placeholder.metadata;
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      name,
      namespace: route.metadata.namespace,
      labels: { ...placeholder.metadata.labels },
      annotations: { ...placeholder.metadata.annotations },
      ownerReferences: [controllerOf(route)],
    },
    subsets: [
      {
        addresses: [{ ip }],
        ports: [{ name: H2C_PORT.name, port: 80, protocol: "TCP", appProtocol: H2C_PORT.appProtocol }],
      },
    ],
  };
}

/** Whether a Service of the one spec can become the other by an update; else it has to be made anew. C-80 `[K8S]` */
export function canBecome(present: Service["spec"], wanted: Service["spec"]): boolean {
  const from = addressing(present);
  return from === "name" || from === addressing(wanted);
}

function addressing({ type, clusterIP }: Service["spec"]): "name" | "headless" | "allocated" {
  if (type === "ExternalName") return "name";
  return clusterIP === "None" ? "headless" : "allocated";
}

function loneEntry(
  status: Ingress["status"],
  { metadata }: Pick<Service, "metadata">,
): NonNullable<LoadBalancer["ingress"]>[number] | undefined {
  const { privateLoadBalancer, publicLoadBalancer } = status ?? {};
  const isPrivate =
    (privateLoadBalancer?.ingress ?? []).length > 0 || metadata.labels?.[labels.visibility] === CLUSTER_LOCAL;
  const entries = (isPrivate ? privateLoadBalancer : publicLoadBalancer)?.ingress ?? [];
  return entries.length === 1 ? entries[0] : undefined;
}

function externalName(name: string): Service["spec"] {
  return { type: "ExternalName", externalName: name, sessionAffinity: "None", ports: [H2C_PORT] };
}

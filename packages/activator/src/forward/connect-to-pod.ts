import {
  type Endpoint,
  endpointAddress,
  ports,
  type UpstreamPoolOptions,
  type UpstreamTls,
} from "@rouse/shared";
import type { EndpointKind } from "../balance/pod-set.ts";

/** How connections to pods are secured, at this moment. */
export interface PodSecurity {
  toPodsOf(namespace: string): UpstreamTls;
}

/** Whose pods they are, and whether it is a pod at all. */
export interface EndpointOwner {
  readonly namespace: string;
  readonly kind: EndpointKind;
}

/**
 * Where connections to an endpoint go: to itself, or by TLS to the port of the same host that speaks it, 8112 of a pod
 * and 443 of a Service. Certificates are asked for at each connection, so that they may change.
 */
export function connectionTo(
  endpoint: Endpoint,
  { namespace, kind }: EndpointOwner,
  security: PodSecurity | undefined,
  securePodPort: number = ports.queueHttps,
): Pick<UpstreamPoolOptions, "ip" | "port" | "tls"> {
  const address = endpointAddress(endpoint);
  if (security === undefined) return address;
  const port = kind === "pod" ? securePodPort : ports.serviceHttps;
  return { ip: address.ip, port, tls: () => security.toPodsOf(namespace) };
}

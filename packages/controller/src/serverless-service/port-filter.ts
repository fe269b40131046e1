import {
  type EndpointPort,
  type EndpointSubset,
  type Endpoints,
  PORT_PER_POD,
  type ProtocolType,
  portNames,
  ports,
  rouse,
} from "@rouse/shared";

/** The port of a protocol on every queue-proxy and activator. K-16. */
export function targetPort(protocol: ProtocolType): number {
  return protocol === "h2c" ? ports.queueH2c : ports.queueHttp;
}

/** The name of a protocol's port on Services and Endpoints. K-15. */
export function portName(protocol: ProtocolType): string {
  return protocol === "h2c" ? portNames.h2c : portNames.http;
}

/**
 * `subsets` with only those ports a request may be sent to: by number (K-36), and where pods share one address, so
 * that numbers differ, by name.
 */
export function filterPorts(
  source: Pick<Endpoints, "metadata">,
  subsets: readonly EndpointSubset[],
  protocol: ProtocolType,
): readonly EndpointSubset[] {
  const number = targetPort(protocol);
  const name =
    source.metadata.annotations?.[rouse.queuePort] === PORT_PER_POD ? portName(protocol) : undefined;
  const serves = (port: EndpointPort): boolean =>
    port.port === number || port.port === ports.queueHttps || (name !== undefined && port.name === name);
  return subsets.map((subset) => ({ ...subset, ports: (subset.ports ?? []).filter(serves) }));
}

import {
  type Endpoint,
  type EndpointPort,
  type Endpoints,
  endpoint,
  portNames,
  ports,
  type Service,
} from "@rouse/shared";

/** What is known of a Service; either may not be there, or not yet. */
export interface BackendObjects {
  readonly service: Pick<Service, "spec"> | undefined;
  readonly endpoints: Pick<Endpoints, "subsets"> | undefined;
}

/** What the ports of a revision's Service are called in its Endpoints, should the Service not be known. K-15. */
const NAME_OF_PORT: Readonly<Record<number, string>> = {
  [ports.serviceHttp]: portNames.http,
  [ports.serviceH2c]: portNames.h2c,
  [ports.serviceHttps]: portNames.https,
};

/**
 * Where a Service leads by one of its ports, a number or a name: its ready addresses, on the port the Endpoints have
 * under that name, or the host it only is a name for. C-112.
 */
export function readyEndpoints(
  { service, endpoints }: BackendObjects,
  servicePort: number | string,
): ReadonlySet<Endpoint> {
  const { type, externalName = "", ports: declared = [] } = service?.spec ?? {};
  const ready = new Set<Endpoint>();
  if (type === "ExternalName") {
    const port = declared.find((each) => each.name === servicePort)?.port ?? servicePort;
    if (externalName !== "" && typeof port === "number") ready.add(endpoint({ ip: externalName, port }));
    return ready;
  }
  const named = declared.find(({ port }) => port === servicePort);
  for (const { addresses = [], ports: own = [] } of endpoints?.subsets ?? []) {
    const port = targetPort(own, named === undefined ? servicePort : (named.name ?? ""));
    if (port === undefined) continue;
    for (const { ip } of addresses) ready.add(endpoint({ ip, port }));
  }
  return ready;
}

/** By name; a Service with a single port needs none. */
function targetPort(own: readonly EndpointPort[], servicePort: number | string): number | undefined {
  const name = typeof servicePort === "string" ? servicePort : NAME_OF_PORT[servicePort];
  const named = own.find((port) => (port.name ?? "") === name)?.port;
  return named ?? (own.length === 1 && (own[0]?.name ?? "") === "" ? own[0]?.port : undefined);
}

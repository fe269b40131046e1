import { type Endpoint, type EndpointPort, type Endpoints, endpoint, portNames, ports } from "@rouse/shared";

/** What the ports of a revision's Service are called in its Endpoints. K-15. */
const NAME_OF_PORT: Readonly<Record<number, string>> = {
  [ports.serviceHttp]: portNames.http,
  [ports.serviceH2c]: portNames.h2c,
  [ports.serviceHttps]: portNames.https,
};

/** Ready addresses of an Endpoints object with the target port that `servicePort` leads to. C-112. */
export function readyEndpoints(
  endpoints: Pick<Endpoints, "subsets"> | undefined,
  servicePort: number | string,
): ReadonlySet<Endpoint> {
  const ready = new Set<Endpoint>();
  for (const { addresses = [], ports: own = [] } of endpoints?.subsets ?? []) {
    const port = targetPort(own, servicePort);
    if (port === undefined) continue;
    for (const { ip } of addresses) ready.add(endpoint({ ip, port }));
  }
  return ready;
}

/** By name; a Service with a single port needs none. */
function targetPort(own: readonly EndpointPort[], servicePort: number | string): number | undefined {
  const name = typeof servicePort === "string" ? servicePort : NAME_OF_PORT[servicePort];
  const named = own.find((port) => port.name === name)?.port;
  return named ?? (own.length === 1 && (own[0]?.name ?? "") === "" ? own[0]?.port : undefined);
}

import { type Endpoint, type Endpoints, endpoint } from "@rouse/shared";
import type { ActivatorPlace } from "../balance/share.ts";

/** The addresses of one revision's pods, by what Kubernetes says of them. One in both lists is ready. */
export interface PodAddresses {
  readonly ready: ReadonlySet<Endpoint>;
  readonly notReady: ReadonlySet<Endpoint>;
}

/** The pods behind a private Endpoints object. Only the port of the revision's own protocol counts. A-52. */
export function podAddresses(endpoints: Pick<Endpoints, "subsets">, portName: string): PodAddresses {
  const ready = new Set<Endpoint>();
  const notReady = new Set<Endpoint>();
  for (const { ports = [], addresses = [], notReadyAddresses = [] } of endpoints.subsets ?? []) {
    const port = ports.find(({ name }) => name === portName)?.port;
    if (port === undefined) continue;
    for (const { ip } of addresses) ready.add(endpoint({ ip, port }));
    for (const { ip } of notReadyAddresses) notReady.add(endpoint({ ip, port }));
  }
  for (const one of ready) notReady.delete(one);
  return { ready, notReady };
}

/**
 * This activator's place among those a public Endpoints object lists, sorted by the bytes of their IPs; `undefined`
 * if it is not among them, and then nothing changes.
 */
export function activatorPlace(
  endpoints: Pick<Endpoints, "subsets">,
  own: { readonly portName: string; readonly podIp: string },
): ActivatorPlace | undefined {
  const ips = new Set<string>();
  for (const { ports = [], addresses = [] } of endpoints.subsets ?? []) {
    if (!ports.some(({ name }) => name === own.portName)) continue;
    for (const { ip } of addresses) ips.add(ip);
  }
  const sorted = [...ips].sort((a, b) => (a < b ? -1 : 1));
  const index = sorted.indexOf(own.podIp);
  return index < 0 ? undefined : { kind: "known", index, of: sorted.length };
}

import { isIPv6 } from "node:net";
import type { EndpointAddress, EndpointPort, EndpointSubset } from "./kinds/core.ts";
import type { EndpointSlice } from "./kinds/discovery.ts";

export type AddressFamily = "IPv4" | "IPv6";

/** The family of an address. */
export function familyOf(ip: string): AddressFamily {
  return isIPv6(ip) ? "IPv6" : "IPv4";
}

/**
 * All slices of one Service as the subsets of one Endpoints object, of one family: the preferred one where the Service has
 * slices of it, be they empty. A pod would else count twice, or, taken out of the slices of one family before those of
 * the other, be asked at an address it is about to lose. One that is said to be ready anywhere is ready; one that ends is
 * left out. K-97
 */
export function mergeSlices(
  slices: Iterable<Pick<EndpointSlice, "addressType" | "endpoints" | "ports">>,
  preferred: AddressFamily,
): readonly EndpointSubset[] {
  const all = [...slices];
  const other = preferred === "IPv4" ? "IPv6" : "IPv4";
  const family = all.some(({ addressType }) => addressType === preferred) ? preferred : other;
  const byPorts = new Map<string, Group>();
  for (const { addressType, endpoints, ports = [] } of all) {
    if (addressType !== family) continue;
    const group = groupOf(byPorts, ports);
    for (const { addresses, conditions = {}, targetRef, nodeName } of endpoints) {
      const isReady = conditions.ready !== false; // unknown counts as ready
      const [ip] = addresses; // the others of an endpoint are the same one
      if (ip === undefined || (!isReady && conditions.terminating === true)) continue;
      if (!isReady && group.pods.has(ip)) continue;
      const address: EndpointAddress = {
        ip,
        ...(nodeName === undefined ? {} : { nodeName }),
        ...(targetRef === undefined ? {} : { targetRef }),
      };
      group.pods.set(ip, { address, isReady });
    }
  }
  return [...byPorts.values()].map(subsetOf).filter(isPeopled);
}

interface Group {
  readonly ports: readonly EndpointPort[];
  /** By address. */
  readonly pods: Map<string, { readonly address: EndpointAddress; readonly isReady: boolean }>;
}

function groupOf(groups: Map<string, Group>, ports: readonly EndpointPort[]): Group {
  const texts = ports.map(({ name = "", port, protocol = "TCP" }) => `${name} ${port} ${protocol}`);
  const key = texts.sort().join();
  const group = groups.get(key) ?? { ports, pods: new Map() };
  groups.set(key, group);
  return group;
}

function subsetOf({ ports, pods }: Group): EndpointSubset {
  const all = [...pods.values()];
  const ready = all.filter(({ isReady }) => isReady).map(({ address }) => address);
  const notReady = all.filter(({ isReady }) => !isReady).map(({ address }) => address);
  return {
    ...(ready.length === 0 ? {} : { addresses: ready }),
    ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
    ports,
  };
}

function isPeopled({ addresses = [], notReadyAddresses = [] }: EndpointSubset): boolean {
  return addresses.length + notReadyAddresses.length > 0;
}

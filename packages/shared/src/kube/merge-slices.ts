import { isIPv6 } from "node:net";
import type { EndpointAddress, EndpointPort, EndpointSubset } from "./kinds/core.ts";
import type { EndpointSlice } from "./kinds/discovery.ts";

export type AddressFamily = "IPv4" | "IPv6";

/** The family of an address. */
export function familyOf(ip: string): AddressFamily {
  return isIPv6(ip) ? "IPv6" : "IPv4";
}

/**
 * All slices of one Service as the subsets of one Endpoints object. A pod counts once: of a pod with an address of
 * either family the preferred one is taken, or it would be given twice the requests it can take. One that is said to be
 * ready anywhere is ready; one that ends is left out. K-97
 */
export function mergeSlices(
  slices: Iterable<Pick<EndpointSlice, "addressType" | "endpoints" | "ports">>,
  preferred: AddressFamily,
): readonly EndpointSubset[] {
  const sorted = [...slices]
    .filter(({ addressType }) => addressType !== "FQDN")
    .sort((a, b) => Number(b.addressType === preferred) - Number(a.addressType === preferred));
  const byPorts = new Map<string, Group>();
  for (const { addressType, endpoints, ports = [] } of sorted) {
    const group = groupOf(byPorts, ports);
    for (const { addresses, conditions = {}, targetRef, nodeName } of endpoints) {
      const isReady = conditions.ready !== false; // unknown counts as ready
      const [ip] = addresses; // the others of an endpoint are the same one
      if (ip === undefined || (!isReady && conditions.terminating === true)) continue;
      const pod =
        targetRef?.uid ?? (targetRef === undefined ? ip : `${targetRef.namespace}/${targetRef.name}`);
      const known = group.pods.get(pod);
      if (known !== undefined && (known.family !== addressType || known.isReady)) {
        if (known.address.ip !== ip || known.isReady || !isReady) continue;
      }
      const address: EndpointAddress = {
        ip,
        ...(nodeName === undefined ? {} : { nodeName }),
        ...(targetRef === undefined ? {} : { targetRef }),
      };
      group.pods.set(pod, { address, isReady, family: addressType });
    }
  }
  return [...byPorts.values()].map(subsetOf).filter(isPeopled);
}

interface Group {
  readonly ports: readonly EndpointPort[];
  readonly pods: Map<
    string,
    { readonly address: EndpointAddress; readonly isReady: boolean; readonly family: string }
  >;
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

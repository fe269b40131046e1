import {
  consistentSubset,
  type EndpointAddress,
  type EndpointSubset,
  type Endpoints,
  type ServerlessService,
} from "@rouse/shared";
import { effectiveMode, readyCount } from "./effective-mode.ts";
import { filterPorts } from "./port-filter.ts";

/** The Endpoints of the activators and of the private Service. K-31. */
export interface Sources {
  readonly activators: Pick<Endpoints, "metadata" | "subsets">;
  readonly pods: Pick<Endpoints, "metadata" | "subsets">;
}

/** What the public Endpoints of a ServerlessService have to hold. K-30…K-37. */
export function publicSubsets(
  sks: Pick<ServerlessService, "metadata" | "spec">,
  sources: Sources,
): readonly EndpointSubset[] {
  const { mode, protocolType, numActivators = 0 } = sks.spec;
  const ready = { activators: readyCount(sources.activators), pods: readyCount(sources.pods) };
  switch (effectiveMode(mode, ready)) {
    case "Serve":
      return filterPorts(sources.pods, sources.pods.subsets ?? [], protocolType);
    case "Proxy": {
      const chosen = someActivators(sources.activators.subsets ?? [], numActivators, sks.metadata.name);
      return filterPorts(sources.activators, chosen, protocolType);
    }
  }
}

/** `count` distinct ready addresses, chosen for `name`; 0 means all of them. Not-ready ones stay as they are. K-35. */
export function someActivators(
  subsets: readonly EndpointSubset[],
  count: number,
  name: string,
): readonly EndpointSubset[] {
  const ips = new Set(subsets.flatMap((subset) => (subset.addresses ?? []).map((address) => address.ip)));
  if (count === 0 || ips.size <= count) return subsets;
  const chosen = consistentSubset(ips, { count, target: name });
  return subsets
    .map((subset) => ({ ...subset, addresses: (subset.addresses ?? []).filter(({ ip }) => chosen.has(ip)) }))
    .filter((subset) => subset.addresses.length > 0);
}

/** Whether two lists of subsets mean the same: the order of subsets, addresses and ports does not matter. K-38. */
export function isSameSubsets(a: readonly EndpointSubset[], b: readonly EndpointSubset[]): boolean {
  if (a.length !== b.length) return false;
  const textsOfB = b.map(canonicalText).sort();
  return a
    .map(canonicalText)
    .sort()
    .every((text, index) => text === textsOfB[index]);
}

function canonicalText(subset: EndpointSubset): string {
  const ofAddress = ({ ip, nodeName, targetRef }: EndpointAddress): string =>
    JSON.stringify([
      ip,
      nodeName ?? "",
      targetRef?.kind ?? "",
      targetRef?.namespace ?? "",
      targetRef?.name ?? "",
      targetRef?.uid ?? "",
    ]);
  const portTexts = (subset.ports ?? []).map((port) =>
    JSON.stringify([port.name ?? "", port.port, port.protocol ?? "TCP", port.appProtocol ?? ""]),
  );
  return JSON.stringify([
    (subset.addresses ?? []).map(ofAddress).sort(),
    (subset.notReadyAddresses ?? []).map(ofAddress).sort(),
    portTexts.sort(),
  ]);
}

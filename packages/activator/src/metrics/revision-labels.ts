import type { Labels } from "@rouse/shared";
import type { RevisionEntry } from "../resolve/revision-entry.ts";

export function shortLabels({ target: { namespace, name } }: RevisionEntry): Labels {
  return [
    ["k8s.namespace.name", namespace],
    ["kn.revision.name", name],
  ];
}

export function fullLabels(entry: RevisionEntry): Labels {
  const { service, configuration } = entry.target;
  return [...shortLabels(entry), ["kn.service.name", service], ["kn.configuration.name", configuration]];
}

/** Those of releases up to 1.18. A-50 */
export function oldLabels({ target }: RevisionEntry, podName: string): Labels {
  return [
    ["namespace_name", target.namespace],
    ["service_name", target.service || "unknown"],
    ["configuration_name", target.configuration || "unknown"],
    ["revision_name", target.name],
    ["pod_name", podName],
    ["container_name", "activator"],
  ];
}

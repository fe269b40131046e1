import { isJsonMap, type JsonMap, memberAt } from "@rouse/shared";
import { ageOf } from "./age.ts";
import { type Column, integer, text } from "./column.ts";
import { podColumns } from "./pod-columns.ts";

const NONE = "<none>";

export const nameColumn: Column = {
  ...text("Name", (object) => memberAt(object, "metadata.name")),
  format: "name",
};
export const ageColumn: Column = text("Age", (object, now) =>
  ageOf(memberAt(object, "metadata.creationTimestamp"), now),
);

/** Columns of the compiled-in kinds, by kind. P-121 */
export const builtInColumns: Readonly<Record<string, readonly Column[]>> = {
  ConfigMap: [
    nameColumn,
    text("Data", (object) => countOf(object, "data") + countOf(object, "binaryData")),
    ageColumn,
  ],
  Secret: [
    nameColumn,
    text("Type", (object) => object.type ?? ""),
    text("Data", (object) => countOf(object, "data")),
    ageColumn,
  ],
  Service: [
    nameColumn,
    text("Type", (object) => memberAt(object, "spec.type") ?? "ClusterIP"),
    text("Cluster-IP", (object) => memberAt(object, "spec.clusterIP") || NONE),
    text("External-IP", externalIp),
    text("Port(s)", servicePorts),
    ageColumn,
    text("Selector", (object) => labelsText(memberAt(object, "spec.selector")), 1),
  ],
  Endpoints: [nameColumn, text("Endpoints", endpointsText), ageColumn],
  EndpointSlice: [
    nameColumn,
    text("AddressType", (object) => object.addressType),
    text("Ports", slicePorts),
    text("Endpoints", sliceEndpoints),
    ageColumn,
  ],
  Pod: podColumns(nameColumn, ageColumn),
  Deployment: [
    nameColumn,
    text("Ready", (object) => `${count(object, "status.readyReplicas")}/${count(object, "spec.replicas")}`),
    text("Up-to-date", (object) => count(object, "status.updatedReplicas")),
    text("Available", (object) => count(object, "status.availableReplicas")),
    ageColumn,
    ...templateColumns(),
  ],
  ReplicaSet: [
    nameColumn,
    integer("Desired", (object) => count(object, "spec.replicas")),
    integer("Current", (object) => count(object, "status.replicas")),
    integer("Ready", (object) => count(object, "status.readyReplicas")),
    ageColumn,
    ...templateColumns(),
  ],
  HorizontalPodAutoscaler: [
    nameColumn,
    text("Reference", (object) => {
      const { kind = "", name = "" } = { ...Object(memberAt(object, "spec.scaleTargetRef")) };
      return `${kind}/${name}`;
    }),
    text("MinPods", (object) => memberAt(object, "spec.minReplicas") ?? "<unset>"),
    integer("MaxPods", (object) => count(object, "spec.maxReplicas")),
    integer("Replicas", (object) => count(object, "status.currentReplicas")),
    ageColumn,
  ],
  Lease: [nameColumn, text("Holder", (object) => memberAt(object, "spec.holderIdentity") ?? ""), ageColumn],
  Namespace: [nameColumn, text("Status", (object) => memberAt(object, "status.phase") ?? ""), ageColumn],
  ServiceAccount: [nameColumn, ageColumn],
  Node: [
    nameColumn,
    text("Status", nodeStatus),
    text("Roles", () => NONE),
    ageColumn,
    text("Version", (object) => memberAt(object, "status.nodeInfo.kubeletVersion") ?? ""),
  ],
  Event: [
    text("Last Seen", (object, now) => ageOf(lastSeen(object), now)),
    text("Type", (object) => object.type ?? ""),
    text("Reason", (object) => object.reason ?? ""),
    text("Object", involvedObject),
    text("Subobject", (object) => memberAt(object, "involvedObject.fieldPath") ?? "", 1),
    text("Source", sourceText, 1),
    text("Message", (object) => String(object.message ?? "").trim()),
    text("First Seen", (object, now) => ageOf(object.firstTimestamp ?? object.eventTime, now), 1),
    text("Count", (object) => object.count ?? 1, 1),
    { ...nameColumn, priority: 1 },
  ],
};

function templateColumns(): readonly Column[] {
  const containers = (object: JsonMap): readonly JsonMap[] =>
    listOf(memberAt(object, "spec.template.spec.containers"));
  return [
    text(
      "Containers",
      (object) =>
        containers(object)
          .map(({ name }) => name)
          .join(","),
      1,
    ),
    text(
      "Images",
      (object) =>
        containers(object)
          .map(({ image }) => image ?? "")
          .join(","),
      1,
    ),
    text("Selector", (object) => labelsText(memberAt(object, "spec.selector.matchLabels")), 1),
  ];
}

function externalIp(object: JsonMap): string {
  switch (memberAt(object, "spec.type")) {
    case "ExternalName":
      return String(memberAt(object, "spec.externalName") ?? "");
    case "LoadBalancer": {
      const ingress = listOf(memberAt(object, "status.loadBalancer.ingress"));
      return ingress.length === 0 ? "<pending>" : ingress.map(({ ip, hostname }) => ip ?? hostname).join(",");
    }
    default: {
      const ips = memberAt(object, "spec.externalIPs");
      return Array.isArray(ips) && ips.length > 0 ? ips.join(",") : NONE;
    }
  }
}

function servicePorts(object: JsonMap): string {
  const ports = listOf(memberAt(object, "spec.ports")).map(({ port, nodePort, protocol = "TCP" }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return ports.length === 0 ? NONE : ports.join(",");
}

function endpointsText(object: JsonMap): string {
  const all: string[] = [];
  for (const subset of listOf(object.subsets)) {
    const ports = listOf(subset.ports).sort((a, b) => compare(String(a.name ?? ""), String(b.name ?? "")));
    const addresses = listOf(subset.addresses)
      .map(({ ip }) => String(ip))
      .sort(compare);
    if (ports.length === 0) all.push(...addresses);
    for (const { port } of ports) all.push(...addresses.map((ip) => `${ip}:${port}`));
  }
  return shortened(all, 3);
}

function slicePorts(object: JsonMap): string {
  const ports = listOf(object.ports);
  if (ports.length === 0) return "<unset>";
  return shortened(
    ports.map(({ port }) => (port === undefined ? "*" : String(port))),
    3,
  );
}

function sliceEndpoints(object: JsonMap): string {
  const all = listOf(object.endpoints).flatMap(({ addresses }) =>
    Array.isArray(addresses) ? addresses.map(String) : [],
  );
  return all.length === 0 ? "<unset>" : shortened(all, 3);
}

function shortened(all: readonly string[], max: number): string {
  if (all.length === 0) return NONE;
  const shown = all.slice(0, max).join(",");
  return all.length > max ? `${shown} + ${all.length - max} more...` : shown;
}

function nodeStatus(object: JsonMap): string {
  const ready = listOf(memberAt(object, "status.conditions")).find(({ type }) => type === "Ready");
  return ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
}

function lastSeen(event: JsonMap): unknown {
  return memberAt(event, "series.lastObservedTime") ?? event.lastTimestamp ?? event.eventTime;
}

function involvedObject(event: JsonMap): string {
  const kind = String(memberAt(event, "involvedObject.kind") ?? "").toLowerCase();
  const name = memberAt(event, "involvedObject.name") ?? "";
  return `${kind}/${name}`;
}

function sourceText(event: JsonMap): string {
  const component = memberAt(event, "source.component") || event.reportingComponent || "";
  const host = memberAt(event, "source.host");
  return host ? `${component}, ${host}` : String(component);
}

function labelsText(labels: unknown): string {
  const entries = isJsonMap(labels) ? Object.entries(labels) : [];
  return entries.length === 0
    ? NONE
    : entries
        .sort(([a], [b]) => compare(a, b))
        .map(([key, value]) => `${key}=${value}`)
        .join(",");
}

function countOf(object: JsonMap, name: string): number {
  const value = object[name];
  return isJsonMap(value) ? Object.keys(value).length : 0;
}

function count(object: JsonMap, path: string): number {
  const value = memberAt(object, path);
  return typeof value === "number" ? value : 0;
}

function listOf(value: unknown): JsonMap[] {
  return Array.isArray(value) ? value.filter(isJsonMap) : [];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

import { isJsonMap, type JsonMap, memberAt } from "@rouse/shared";
import { nameColumn } from "./built-in-columns.ts";
import { type Column, integer, text } from "./column.ts";

function at(name: string, path: string): Column {
  return text(name, (object) => memberAt(object, path) ?? null);
}

function number(name: string, path: string): Column {
  return integer(name, (object) => memberAt(object, path) ?? null);
}

/** A member of the condition `Ready`. */
function ofReady(name: string, member: "status" | "reason"): Column {
  return text(name, (object) => {
    const conditions = memberAt(object, "status.conditions");
    const list: readonly JsonMap[] = Array.isArray(conditions) ? conditions.filter(isJsonMap) : [];
    return list.find(({ type }) => type === "Ready")?.[member] ?? null;
  });
}

const ready: readonly Column[] = [ofReady("Ready", "status"), ofReady("Reason", "reason")];

/** Columns of the custom resources, by kind: none of them has an age. P-122 */
export const customColumns: Readonly<Record<string, readonly Column[]>> = {
  Service: [
    nameColumn,
    at("URL", "status.url"),
    at("LatestCreated", "status.latestCreatedRevisionName"),
    at("LatestReady", "status.latestReadyRevisionName"),
    ...ready,
  ],
  Revision: [
    nameColumn,
    text("Config Name", (object) => {
      const labels = memberAt(object, "metadata.labels");
      return (isJsonMap(labels) ? labels["serving.knative.dev/configuration"] : undefined) ?? null;
    }),
    text("Generation", (object) => {
      const labels = memberAt(object, "metadata.labels");
      return (isJsonMap(labels) ? labels["serving.knative.dev/configurationGeneration"] : undefined) ?? null;
    }),
    ...ready,
    number("Actual Replicas", "status.actualReplicas"),
    number("Desired Replicas", "status.desiredReplicas"),
  ],
  Configuration: [
    nameColumn,
    at("LatestCreated", "status.latestCreatedRevisionName"),
    at("LatestReady", "status.latestReadyRevisionName"),
    ...ready,
  ],
  Route: [nameColumn, at("URL", "status.url"), ...ready],
  DomainMapping: [nameColumn, at("URL", "status.url"), ...ready],
  ServerlessService: [
    nameColumn,
    at("Mode", "spec.mode"),
    number("Activators", "spec.numActivators"),
    at("ServiceName", "status.serviceName"),
    at("PrivateServiceName", "status.privateServiceName"),
    ...ready,
  ],
  PodAutoscaler: [
    nameColumn,
    number("DesiredScale", "status.desiredScale"),
    number("ActualScale", "status.actualScale"),
    ...ready,
  ],
  Ingress: [nameColumn, ...ready],
  Certificate: [nameColumn, ...ready],
  Metric: [nameColumn, ...ready],
  Image: [nameColumn, at("Image", "spec.image")],
};

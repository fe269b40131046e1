import type { Labels } from "@rouse/shared";
import type { Config } from "../config.ts";

/** Who is speaking, in telemetry of every kind. Q-135 */
export function resourceOf(config: Config, otelServiceName: string): Labels {
  const { revision, service, configuration, telemetryPodName } = config;
  const name = [otelServiceName, service, configuration, revision.name].find((one) => one !== "");
  return [
    ["service.name", name ?? telemetryPodName],
    ["service.instance.id", telemetryPodName],
    ["service.version", "unknown"],
    ["k8s.namespace.name", revision.namespace],
    ["k8s.pod.name", telemetryPodName],
    ["container.name", "queue-proxy"],
    ...(service === "" ? [] : [["kn.service.name", service] as const]),
    ...(configuration === "" ? [] : [["kn.configuration.name", configuration] as const]),
    ...(revision.name === "" ? [] : [["kn.revision.name", revision.name] as const]),
  ];
}

import {
  type Container,
  type EnvVar,
  headers,
  labels,
  type Probe,
  portNames,
  ports,
  probeValues,
  QUEUE_PROXY_CONTAINER,
  type Revision,
  type Stored,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import { keys } from "../metadata-keys.ts";
import { targetPort } from "../serverless-service/port-filter.ts";
import type { Settings } from "../settings/settings.ts";
import { queueProxyResources } from "./queue-proxy-resources.ts";
import { protocolOf, servingContainer, userPort } from "./user-port.ts";

const LOOPBACK = "127.0.0.1";

/** The sidecar beside the user's containers: its ports, its environment, its readiness. C-53, C-54, Q §2. */
export function queueProxyContainer(revision: Stored<Revision>, settings: Settings): Container {
  const port = targetPort(protocolOf(revision.spec));
  const { readinessProbe } = servingContainer(revision.spec) ?? {};
  return {
    name: QUEUE_PROXY_CONTAINER,
    image: settings.deployment.queueSidecarImage,
    resources: queueProxyResources(revision, settings),
    ports: [
      { name: portNames.autoscalerMetrics, containerPort: ports.autoscalerMetrics, protocol: "TCP" },
      { name: portNames.userMetrics, containerPort: ports.userMetrics, protocol: "TCP" },
      { name: portNames.queue, containerPort: port, protocol: "TCP" },
      { name: "https-port", containerPort: ports.queueHttps, protocol: "TCP" },
    ],
    readinessProbe: sidecarProbe(readinessProbe ?? {}, port),
    env: environment(revision, port, settings),
  };
}

/**
 * The user's readiness probe as queue-proxy runs it: always on loopback, always with a port. It cannot run an exec
 * probe, so it knocks at the port instead. Members in the order the reference writes them. C-54, Q-89.
 */
export function servingProbe(probe: Probe, port: number): Probe {
  const { httpGet, tcpSocket, grpc } = probe;
  const timing = {
    ...(probe.initialDelaySeconds === undefined ? {} : { initialDelaySeconds: probe.initialDelaySeconds }),
    ...(probe.timeoutSeconds === undefined ? {} : { timeoutSeconds: probe.timeoutSeconds }),
    ...(probe.periodSeconds === undefined ? {} : { periodSeconds: probe.periodSeconds }),
    ...(probe.successThreshold === undefined ? {} : { successThreshold: probe.successThreshold }),
    ...(probe.failureThreshold === undefined ? {} : { failureThreshold: probe.failureThreshold }),
  };
  if (httpGet !== undefined) {
    const { path, httpHeaders } = httpGet;
    return {
      httpGet: {
        ...(path === undefined ? {} : { path }),
        port: numericPort(httpGet.port, port),
        host: LOOPBACK,
        scheme: httpGet.scheme ?? "HTTP",
        ...(httpHeaders === undefined ? {} : { httpHeaders }),
      },
      ...timing,
    };
  }
  if (grpc !== undefined) return { grpc: { ...grpc, port: numericPort(grpc.port, port) }, ...timing };
  return { tcpSocket: { port: numericPort(tcpSocket?.port, port), host: LOOPBACK }, ...timing };
}

/** A port by name means the user port, as there is only one. */
function numericPort(given: number | string | undefined, fallback: number): number {
  return typeof given === "number" && given !== 0 ? given : fallback;
}

/** The pod is ready when queue-proxy says so; timing and thresholds are the user's. Q-90. */
function sidecarProbe(probe: Probe, port: number): Probe {
  const { httpGet: _, tcpSocket: __, grpc: ___, exec: ____, ...timing } = probe;
  return {
    ...timing,
    httpGet: { port, httpHeaders: [{ name: headers.networkProbe, value: probeValues.queue }] },
    successThreshold: probe.successThreshold ?? 1,
  };
}

/** One probe as an object; with multi-container-probing a list, the serving container's first. C-54 */
function readinessProbes(revision: Stored<Revision>, probesAll: boolean): string {
  const { spec } = revision;
  const serving = servingContainer(spec);
  const first = servingProbe(serving?.readinessProbe ?? {}, userPort(spec));
  if (!probesAll) return JSON.stringify(first);
  const others = spec.containers.flatMap(({ name, readinessProbe }) =>
    name === serving?.name || readinessProbe === undefined || readinessProbe.exec !== undefined
      ? []
      : [servingProbe(readinessProbe, ownPort(name, readinessProbe))],
  );
  return JSON.stringify([first, ...others]);
}

/** @throws Error: a container without ports has none that a probe could leave out */
function ownPort(container: string, { httpGet, tcpSocket, grpc }: Probe): number {
  const port = httpGet?.port ?? tcpSocket?.port ?? grpc?.port;
  if (typeof port === "number" && port !== 0) return port;
  throw new Error(`sidecar ${container}: its readiness probe has to name a port`);
}

function environment(revision: Stored<Revision>, port: number, settings: Settings): readonly EnvVar[] {
  const { metadata, spec } = revision;
  const { multiContainerProbing } = settings.features;
  const isFullDuplex = metadata.annotations?.[keys.fullDuplex]?.toLowerCase() === "enabled";
  const values: readonly (readonly [string, string])[] = [
    ["SERVING_NAMESPACE", metadata.namespace],
    ["SERVING_SERVICE", metadata.labels?.[labels.service] ?? ""],
    ["SERVING_CONFIGURATION", metadata.labels?.[labels.configuration] ?? ""],
    ["SERVING_REVISION", metadata.name],
    ["QUEUE_SERVING_PORT", String(port)],
    ["QUEUE_SERVING_TLS_PORT", String(ports.queueHttps)],
    ["CONTAINER_CONCURRENCY", String(spec.containerConcurrency ?? 0)],
    ["REVISION_TIMEOUT_SECONDS", String(spec.timeoutSeconds ?? 0)],
    ["REVISION_RESPONSE_START_TIMEOUT_SECONDS", String(spec.responseStartTimeoutSeconds ?? 0)],
    ["REVISION_IDLE_TIMEOUT_SECONDS", String(spec.idleTimeoutSeconds ?? 0)],
    ["SERVING_LOGGING_CONFIG", ""],
    ["SERVING_LOGGING_LEVEL", ""],
    ["OBSERVABILITY_CONFIG", "{}"],
    ["USER_PORT", String(userPort(spec))],
    ["SYSTEM_NAMESPACE", SYSTEM_NAMESPACE],
    ["SERVING_READINESS_PROBE", readinessProbes(revision, multiContainerProbing)],
    ["ENABLE_HTTP2_AUTO_DETECTION", "false"],
    ["ENABLE_HTTP_FULL_DUPLEX", String(isFullDuplex)],
    ["ENABLE_MULTI_CONTAINER_PROBES", String(multiContainerProbing)],
  ];
  return [
    ...values.map(([name, value]) => ({ name, value })),
    { name: "SERVING_POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "SERVING_POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
    { name: "HOST_IP", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } },
  ];
}

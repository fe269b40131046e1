import {
  type DurationLimits,
  type LoggingConfig,
  type Probe,
  parseLogging,
  tlsVariables,
} from "@rouse/shared";
import { type AdminCallers, parseAdminCallers } from "./config/admin-callers.ts";
import { ConfigError } from "./config/config-error.ts";
import { type Parsed, parseGoBool, parseGoInt } from "./config/go-values.ts";
import { type Observability, parseObservability } from "./config/observability.ts";
import { withOldVariables } from "./config/old-variables.ts";
import { type PrometheusListener, parsePrometheusListener } from "./config/prometheus-listener.ts";
import { parseReadinessProbes } from "./config/readiness-probes.ts";
import { parseTlsSettings, type TlsSettings } from "./config/tls-settings.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** All a sidecar is told. Spec §2; what begins with `ROUSE_` is ours and optional. */
export interface Config {
  /** 0 and below: unlimited. */
  readonly containerConcurrency: number;
  readonly servingPort: number;
  readonly tlsPort: number;
  readonly userPort: number;
  readonly limits: DurationLimits;
  /** Empty: always ready. */
  readonly readinessProbes: readonly Probe[];
  readonly detectsHttp2: boolean;
  readonly revision: { readonly namespace: string; readonly name: string };
  /** May be empty, as may be the configuration. */
  readonly service: string;
  readonly configuration: string;
  readonly podName: string;
  readonly podIp: string;
  /** Name of the pod in telemetry, which is another variable than the one of stats. */
  readonly telemetryPodName: string;
  readonly observability: Observability;
  /** Only with request metrics for Prometheus. */
  readonly prometheus: PrometheusListener | undefined;
  readonly profilingPort: number;
  /** Publishes the metrics of releases up to 1.18 as well. Q-140 */
  readonly hasOldMetrics: boolean;
  /** Asked for when there are certificates, and only then. Q-160 */
  readonly tlsSettings: () => TlsSettings;
  readonly certificateDirectory: string;
  /** The address to listen on; `undefined` = all interfaces. */
  readonly listenIp: string | undefined;
  /** `host:port` of activators that want to be told when the program is ready. */
  readonly readyListeners: readonly { readonly host: string; readonly port: number }[];
  /** Who may ask for a drain; anyone, unless told. E-12 */
  readonly adminCallers: AdminCallers;
}

/** What every line of the log needs, known even if the rest of the environment makes no sense. */
export interface LogConfig {
  readonly logging: LoggingConfig;
  /** `namespace/revision` */
  readonly key: string;
  readonly podName: string;
}

const CERTIFICATE_DIRECTORY = "/var/lib/knative/certs";
const PROFILING_PORT = "8008";
/** As the kernel cuts a host's name. */
const HOSTNAME_LENGTH_MAX = 63;

export function processEnvironment(): Environment {
  return process.env;
}

export function parseLogConfig(environment: Environment): LogConfig {
  const read = reader(environment);
  return {
    logging: parseLogging(read("SERVING_LOGGING_CONFIG"), read("SERVING_LOGGING_LEVEL")),
    key: `${read("SERVING_NAMESPACE")}/${read("SERVING_REVISION")}`,
    podName: read("SERVING_POD"),
  };
}

/**
 * Checks the variables in the order of the table and stops at the first one that is wrong, as the reference does. An
 * empty variable is there; one nobody knows is not looked at.
 * @throws ConfigError
 */
export function parseConfig(environment: Environment): Config {
  const read = reader(environment);
  const table = {
    containerConcurrency: int(environment, "CONTAINER_CONCURRENCY", "ContainerConcurrency"),
    servingPort: required(environment, "QUEUE_SERVING_PORT"),
    tlsPort: required(environment, "QUEUE_SERVING_TLS_PORT"),
    userPort: required(environment, "USER_PORT"),
    timeoutSeconds: int(environment, "REVISION_TIMEOUT_SECONDS", "RevisionTimeoutSeconds"),
    responseStartSeconds: int(
      environment,
      "REVISION_RESPONSE_START_TIMEOUT_SECONDS",
      "RevisionResponseStartTimeoutSeconds",
      0,
    ),
    idleSeconds: int(environment, "REVISION_IDLE_TIMEOUT_SECONDS", "RevisionIdleTimeoutSeconds", 0),
    readiness: read("SERVING_READINESS_PROBE"),
    // We are always full duplex; the variable is only checked.
    isFullDuplex: bool(environment, "ENABLE_HTTP_FULL_DUPLEX", "EnableHTTPFullDuplex"),
    detectsHttp2: bool(environment, "ENABLE_HTTP2_AUTO_DETECTION", "EnableHTTP2AutoDetection"),
    hasProbeArray: bool(environment, "ENABLE_MULTI_CONTAINER_PROBES", "EnableMultiContainerProbes"),
    loggingConfig: required(environment, "SERVING_LOGGING_CONFIG"),
    loggingLevel: required(environment, "SERVING_LOGGING_LEVEL"),
    namespace: required(environment, "SERVING_NAMESPACE"),
    service: read("SERVING_SERVICE"),
    configuration: required(environment, "SERVING_CONFIGURATION"),
    revision: required(environment, "SERVING_REVISION"),
    podName: required(environment, "SERVING_POD"),
    podIp: required(environment, "SERVING_POD_IP"),
  };
  const { observability, hasOldMetrics } =
    environment.OBSERVABILITY_CONFIG === undefined
      ? withOldVariables(parseObservability(""), read)
      : { observability: parseObservability(environment.OBSERVABILITY_CONFIG), hasOldMetrics: false };
  const hasPrometheus = observability.requestMetrics.protocol === "prometheus";
  return {
    containerConcurrency: table.containerConcurrency,
    servingPort: port("QUEUE_SERVING_PORT", table.servingPort),
    tlsPort: port("QUEUE_SERVING_TLS_PORT", table.tlsPort),
    userPort: port("USER_PORT", table.userPort),
    limits: {
      timeoutMs: table.timeoutSeconds * 1_000,
      responseStartTimeoutMs: table.responseStartSeconds * 1_000,
      idleTimeoutMs: table.idleSeconds * 1_000,
    },
    readinessProbes: parseReadinessProbes(table.readiness, { isArray: table.hasProbeArray }),
    detectsHttp2: table.detectsHttp2,
    revision: { namespace: table.namespace, name: table.revision },
    service: table.service,
    configuration: table.configuration,
    podName: table.podName,
    podIp: table.podIp,
    telemetryPodName: read("POD_NAME") || read("HOSTNAME").slice(0, HOSTNAME_LENGTH_MAX) || table.podName,
    observability,
    prometheus: hasPrometheus
      ? parsePrometheusListener(read, observability.requestMetrics.endpoint)
      : undefined,
    profilingPort: port("PROFILING_PORT", read("PROFILING_PORT") || PROFILING_PORT),
    hasOldMetrics: hasOldMetrics || bool(environment, "ROUSE_OLD_METRIC_NAMES", "OldMetricNames"),
    tlsSettings: () => parseTlsSettings(read, tlsVariables("QUEUE_PROXY_TLS")),
    certificateDirectory: read("ROUSE_CERTIFICATE_DIRECTORY") || CERTIFICATE_DIRECTORY,
    listenIp: read("ROUSE_LISTEN_IP") || undefined,
    readyListeners: readyListeners(read("ROUSE_READY_LISTENERS")),
    adminCallers: parseAdminCallers(
      read("ROUSE_ADMIN_CALLERS"),
      ["127.0.0.1", "::1", table.podIp, read("HOST_IP")].filter((ip) => ip !== ""),
    ),
  };
}

function reader(environment: Environment): (name: string) => string {
  return (name) => environment[name] ?? "";
}

function required(environment: Environment, name: string): string {
  const value = environment[name];
  if (value === undefined) throw new ConfigError("environment", `required key ${name} missing value`);
  return value;
}

function int(environment: Environment, name: string, field: string, otherwise?: number): number {
  const text = environment[name];
  if (text === undefined && otherwise !== undefined) return otherwise;
  return converted(parseGoInt(required(environment, name)), { name, field, text: text ?? "", type: "int" });
}

function bool(environment: Environment, name: string, field: string): boolean {
  const text = environment[name];
  return text === undefined ? false : converted(parseGoBool(text), { name, field, text, type: "bool" });
}

function converted<T>(
  parsed: Parsed<T>,
  of: { readonly name: string; readonly field: string; readonly text: string; readonly type: string },
): T {
  if (parsed.kind === "value") return parsed.value;
  throw new ConfigError(
    "environment",
    `envconfig.Process: assigning ${of.name} to ${of.field}: converting '${of.text}' to type ${of.type}. details: ${parsed.details}`,
  );
}

/** Ports are text in the table, so what is wrong with one is said after it. 0 lets the system choose. */
function port(name: string, text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new ConfigError("fatal", `${name}: ${JSON.stringify(text)} is not a port`);
  }
  return Number(text);
}

function readyListeners(text: string): Config["readyListeners"] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "")
    .map((item) => {
      const cut = item.lastIndexOf(":");
      const host = item.slice(0, Math.max(0, cut)).replace(/^\[(.*)\]$/, "$1");
      if (host === "") throw new ConfigError("fatal", `ROUSE_READY_LISTENERS: ${item} is not host:port`);
      return { host, port: port("ROUSE_READY_LISTENERS", item.slice(cut + 1)) };
    });
}

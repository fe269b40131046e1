import {
  type ConfigMap,
  DEFAULT_REQUEST_LOG_TEMPLATE,
  parseDuration,
  parseRequestLogTemplate,
  type TelemetrySettings,
} from "@rouse/shared";

/** What `config-observability` says to the activator. */
export interface ObservabilitySettings extends TelemetrySettings {
  /** Template of a line per request; empty: none is written. A-41 */
  readonly requestLogTemplate: string;
}

const TRACING = ["none", "grpc", "http/protobuf", "stdout"] as const;
const METRICS = ["none", "prometheus", "grpc", "http/protobuf"] as const;

/** Absent keys mean the contract's defaults: nothing is logged, traced or exported. @throws Error naming the key */
export function parseObservabilitySettings(data: NonNullable<ConfigMap["data"]>): ObservabilitySettings {
  const read = (key: string): string => (data[key] ?? "").trim();
  return {
    tracing: {
      protocol: oneOf(TRACING, "tracing-protocol", read("tracing-protocol") || "none"),
      endpoint: read("tracing-endpoint"),
      samplingRate: numberOf("tracing-sampling-rate", read("tracing-sampling-rate") || "0"),
    },
    requestMetrics: {
      protocol: oneOf(METRICS, "metrics-protocol", read("metrics-protocol") || "none"),
      endpoint: read("metrics-endpoint"),
      exportIntervalMs: durationOf("metrics-export-interval", read("metrics-export-interval") || "0"),
    },
    requestLogTemplate: templateOf(data),
  };
}

/** switched on without a template, or with one that cannot be used, is refused. */
function templateOf(data: NonNullable<ConfigMap["data"]>): string {
  if ((data["logging.enable-request-log"] ?? "").trim().toLowerCase() !== "true") return "";
  const template = data["logging.request-log-template"] ?? DEFAULT_REQUEST_LOG_TEMPLATE;
  if (template === "") throw wrong("logging.request-log-template", "is empty, and the request log is on");
  try {
    parseRequestLogTemplate(template);
    return template;
  } catch (error) {
    throw wrong("logging.request-log-template", error instanceof Error ? error.message : String(error));
  }
}

function oneOf<T extends string>(known: readonly T[], key: string, value: string): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw wrong(key, `is to be one of ${known.join(", ")}, not "${value}"`);
  return found;
}

function numberOf(key: string, value: string): number {
  const number = Number(value);
  if (!Number.isFinite(number)) throw wrong(key, `is to be a number, not "${value}"`);
  return number;
}

function durationOf(key: string, value: string): number {
  const valueMs = parseDuration(value);
  if (valueMs === undefined || valueMs < 0) throw wrong(key, `is to be a duration, not "${value}"`);
  return valueMs;
}

function wrong(key: string, problem: string): Error {
  return new Error(`config-observability: ${key} ${problem}`);
}

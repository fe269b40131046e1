import { DEFAULT_REQUEST_LOG_TEMPLATE, JsonObject, type TelemetrySettings } from "@rouse/shared";
import { ConfigError } from "./config-error.ts";

/** What `OBSERVABILITY_CONFIG` says. Q-15 */
export interface Observability extends TelemetrySettings {
  readonly isProfiling: boolean;
  readonly requestLogTemplate: string;
  readonly logsRequests: boolean;
  readonly logsProbes: boolean;
}

const TRACING = ["none", "grpc", "http/protobuf", "stdout"] as const;
const METRICS = ["none", "prometheus", "grpc", "http/protobuf"] as const;
const NANOSECONDS_PER_MS = 1_000_000;

/** @param text JSON; empty means all defaults. @throws ConfigError `fatal` if it cannot be used */
export function parseObservability(text: string): Observability {
  try {
    const all = JsonObject.of(text === "" ? {} : JSON.parse(text), "the document");
    const [tracing, metrics] = [all.object("tracing"), all.object("requestMetrics")];
    return {
      tracing: {
        protocol: oneOf(TRACING, tracing.text("protocol", "none") || "none", "tracing"),
        endpoint: tracing.text("endpoint", ""),
        samplingRate: tracing.number("samplingRate", 0),
      },
      requestMetrics: {
        protocol: oneOf(METRICS, metrics.text("protocol", "none") || "none", "request metrics"),
        endpoint: metrics.text("endpoint", ""),
        exportIntervalMs: metrics.number("exportInterval", 0) / NANOSECONDS_PER_MS,
      },
      isProfiling: all.object("runtime").text("profiling", "disabled") === "enabled",
      requestLogTemplate: all.text("requestLogTemplate", DEFAULT_REQUEST_LOG_TEMPLATE),
      logsRequests: all.boolean("enableRequestLog", false),
      logsProbes: all.boolean("enableProbeRequestLog", false),
    };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      throw new ConfigError("fatal", `failed to parse OBSERVABILITY_CONFIG: ${error.message}`);
    }
    throw error;
  }
}

function oneOf<T extends string>(known: readonly T[], value: string, what: string): T {
  const found = known.find((one) => one === value);
  if (found === undefined)
    throw new ConfigError("fatal", `unsupported protocol ${JSON.stringify(value)} for ${what}`);
  return found;
}

import type { Family } from "./family.ts";
import type { Labels } from "./labels.ts";

export type Environment = Readonly<Record<string, string | undefined>>;
export type TracingProtocol = "none" | "grpc" | "http/protobuf" | "stdout";
export type MetricsProtocol = "none" | "prometheus" | "grpc" | "http/protobuf";

/** Where spans and metrics go. */
export interface TelemetrySettings {
  readonly tracing: {
    readonly protocol: TracingProtocol;
    readonly endpoint: string;
    /** 0 to 1. */
    readonly samplingRate: number;
  };
  readonly requestMetrics: {
    readonly protocol: MetricsProtocol;
    /** A URL, or `host:port` for Prometheus. */
    readonly endpoint: string;
    /** 0: the library's default. */
    readonly exportIntervalMs: number;
  };
}

/** What the bundle with the OpenTelemetry libraries is given. */
export interface TelemetryOptions extends TelemetrySettings {
  /** Who speaks. */
  readonly resource: Labels;
  readonly families: () => readonly Family[];
  readonly environment: Environment;
  /** Told what could not be sent. */
  readonly failed: (what: string, error: string) => void;
}

/** What it gives back. */
export interface Telemetry<T> {
  /** `undefined` where no tracing is asked for. */
  readonly tracing: T | undefined;
  /** Sends what is left. */
  flush(): Promise<void>;
}

/** Whether anything is asked for that only the OpenTelemetry libraries can do. */
export function needsOpenTelemetry({ tracing, requestMetrics }: TelemetrySettings): boolean {
  return (
    tracing.protocol !== "none" ||
    (requestMetrics.protocol !== "none" && requestMetrics.protocol !== "prometheus")
  );
}

import type { Config, Environment } from "../config.ts";
import type { Family } from "../metrics/family.ts";
import type { Labels } from "../metrics/labels.ts";
import type { Tracing } from "../trace/tracing.ts";

/** What the chunk with the OpenTelemetry libraries is given. */
export interface TelemetryOptions {
  readonly tracing: Config["observability"]["tracing"];
  readonly requestMetrics: Config["observability"]["requestMetrics"];
  readonly resource: Labels;
  readonly families: () => readonly Family[];
  readonly environment: Environment;
  /** Told what could not be sent. */
  readonly failed: (what: string, error: string) => void;
}

/** What it gives back. */
export interface Telemetry {
  /** `undefined` where no tracing is asked for. */
  readonly tracing: Tracing | undefined;
  /** Sends what is left. */
  flush(): Promise<void>;
}

/** Whether anything is asked for that only the OpenTelemetry libraries can do. */
export function needsOpenTelemetry({ tracing, requestMetrics }: Config["observability"]): boolean {
  return (
    tracing.protocol !== "none" ||
    (requestMetrics.protocol !== "none" && requestMetrics.protocol !== "prometheus")
  );
}

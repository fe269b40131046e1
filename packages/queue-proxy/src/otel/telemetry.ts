import { DiagLogLevel, diag } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { Telemetry, TelemetryOptions } from "../program/telemetry.ts";
import { attributesOf } from "./attributes.ts";
import { MetricPush } from "./metric-push.ts";
import { startTracing } from "./spans.ts";

/** What the OpenTelemetry libraries are asked for. The one entry of their chunk. */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { tracing, requestMetrics, failed } = options;
  const say = (message: string): void => failed("telemetry", message);
  diag.setLogger(
    { error: say, warn: say, info: () => {}, debug: () => {}, verbose: () => {} },
    DiagLogLevel.WARN,
  );
  const resource = resourceFromAttributes(attributesOf(options.resource));
  const spans =
    tracing.protocol === "none"
      ? undefined
      : startTracing(options, { ...tracing, protocol: tracing.protocol }, resource);
  const push =
    requestMetrics.protocol === "none" || requestMetrics.protocol === "prometheus"
      ? undefined
      : new MetricPush(options, { ...requestMetrics, protocol: requestMetrics.protocol }, resource);
  return {
    tracing: spans?.tracing,
    flush: async () => {
      await Promise.allSettled([spans?.flush(), push?.flush()]);
    },
  };
}

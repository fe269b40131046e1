import { DiagLogLevel, diag, type Tracer } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { Telemetry, TelemetryOptions } from "../metrics/telemetry-options.ts";
import { attributesOf } from "./attributes.ts";
import { MetricPush } from "./metric-push.ts";
import { startTracer } from "./tracer.ts";

/** What is different in each program: the scope of its spans, and what it makes of requests. */
export interface ProgramTracing<T> {
  readonly scope: string;
  readonly tracingWith: (tracer: Tracer) => T;
}

/** What the OpenTelemetry libraries are asked for. */
export function startTelemetry<T>(options: TelemetryOptions, program: ProgramTracing<T>): Telemetry<T> {
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
      : startTracer(options, { ...tracing, protocol: tracing.protocol, scope: program.scope }, resource);
  const push =
    requestMetrics.protocol === "none" || requestMetrics.protocol === "prometheus"
      ? undefined
      : new MetricPush(options, { ...requestMetrics, protocol: requestMetrics.protocol }, resource);
  return {
    tracing: spans === undefined ? undefined : program.tracingWith(spans.tracer),
    flush: async () => {
      await Promise.allSettled([spans?.flush(), push?.flush()]);
    },
  };
}

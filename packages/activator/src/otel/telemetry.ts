import type { Telemetry, TelemetryOptions } from "@rouse/shared";
import { startTelemetry as startLibraries } from "@rouse/shared/otel";
import type { Tracing } from "../trace/tracing.ts";
import { Spans } from "./spans.ts";

/** What the OpenTelemetry libraries are asked for. The one entry of their bundle. */
export function startTelemetry(options: TelemetryOptions): Telemetry<Tracing> {
  return startLibraries<Tracing>(options, {
    scope: "knative.dev/serving/pkg/activator",
    tracingWith: (tracer) => ({ begin: (exchange) => new Spans(tracer, exchange) }),
  });
}

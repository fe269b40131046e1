import type { Tracer } from "@opentelemetry/api";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as HttpExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import type { Resource } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { TelemetryOptions, TracingProtocol } from "../metrics/telemetry-options.ts";
import { endpointUrl } from "./endpoint.ts";
import { samplerOf } from "./sampler.ts";

export interface TracerOptions {
  readonly protocol: Exclude<TracingProtocol, "none">;
  readonly endpoint: string;
  readonly samplingRate: number;
  readonly scope: string;
}

/** Where spans of requests go: in batches; to standard output each at once and all of them. Q-150..Q-155, A-47 */
export function startTracer(
  { environment }: TelemetryOptions,
  options: TracerOptions,
  resource: Resource,
): { readonly tracer: Tracer; flush(): Promise<void> } {
  const isStdout = options.protocol === "stdout";
  const url = endpointUrl(options.endpoint, { signal: "traces", protocol: options.protocol }, environment);
  const at = url === undefined ? {} : { url };
  const processor = isStdout
    ? new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() })
    : new BatchSpanProcessor({
        exporter: options.protocol === "grpc" ? new GrpcExporter(at) : new HttpExporter(at),
      });
  const provider = new TracerProvider({
    resource,
    sampler: isStdout ? new AlwaysOnSampler() : samplerOf(options.samplingRate, environment),
    spanProcessors: [processor],
  });
  return { tracer: provider.getTracer(options.scope), flush: () => provider.shutdown() };
}

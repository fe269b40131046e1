import { type HrTime, ValueType } from "@opentelemetry/api";
import { ExportResultCode, millisToHrTime } from "@opentelemetry/core";
import { OTLPMetricExporter as GrpcExporter } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPMetricExporter as HttpExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import type { Resource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type PushMetricExporter,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import type { Clock } from "../clock/clock.ts";
import { RealClock } from "../clock/real-clock.ts";
import type { Family } from "../metrics/family.ts";
import type { HistogramSeries } from "../metrics/histogram.ts";
import type { TelemetryOptions } from "../metrics/telemetry-options.ts";
import { attributesOf } from "./attributes.ts";
import { endpointUrl } from "./endpoint.ts";

/** The library's own. */
const INTERVAL_MS = 60_000;

interface PushOptions {
  readonly protocol: "grpc" | "http/protobuf";
  readonly endpoint: string;
  readonly exportIntervalMs: number;
}

/**
 * Sends our own families by OTLP at an interval. The libraries carry them and count nothing: requests are measured once,
 * in our registry, whoever reads it.
 */
export class MetricPush {
  readonly #clock: Clock = new RealClock();
  readonly #options: TelemetryOptions;
  readonly #exporter: PushMetricExporter;
  readonly #resource: Resource;
  readonly #startTime: HrTime;
  #timer: Disposable | undefined;

  constructor(options: TelemetryOptions, push: PushOptions, resource: Resource) {
    const { environment } = options;
    const url = endpointUrl(push.endpoint, { signal: "metrics", protocol: push.protocol }, environment);
    const at = url === undefined ? {} : { url };
    this.#options = options;
    this.#resource = resource;
    this.#exporter = push.protocol === "grpc" ? new GrpcExporter(at) : new HttpExporter(at);
    this.#startTime = millisToHrTime(this.#clock.wall());
    this.#arm(Number(environment.OTEL_METRIC_EXPORT_INTERVAL) || push.exportIntervalMs || INTERVAL_MS);
  }

  async flush(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#push();
    await this.#exporter.shutdown();
  }

  #arm(intervalMs: number): void {
    this.#timer = this.#clock.after(intervalMs, () => {
      void this.#push();
      this.#arm(intervalMs);
    });
  }

  #push(): Promise<void> {
    return new Promise((resolve) => {
      this.#exporter.export(this.#collect(), ({ code, error }) => {
        if (code !== ExportResultCode.SUCCESS) this.#options.failed("metrics", error?.message ?? "unknown");
        resolve();
      });
    });
  }

  #collect(): ResourceMetrics {
    const scopes = new Map<string, MetricData[]>();
    const times = { startTime: this.#startTime, endTime: millisToHrTime(this.#clock.wall()) };
    for (const family of this.#options.families()) {
      if (family.otelName === "") continue;
      const metrics = scopes.get(family.scope) ?? [];
      metrics.push(metricData(family, times));
      scopes.set(family.scope, metrics);
    }
    const scopeMetrics = Array.from(scopes, ([name, metrics]) => ({ scope: { name }, metrics }));
    return { resource: this.#resource, scopeMetrics };
  }
}

type Times = { readonly startTime: HrTime; readonly endTime: HrTime };

function metricData(family: Family, times: Times): MetricData {
  const common = {
    descriptor: {
      name: family.otelName,
      description: family.help,
      unit: family.unit,
      valueType: ValueType.DOUBLE,
    },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  if (family.kind === "histogram") {
    const { histogram } = family;
    const boundaries = [...histogram.bounds];
    return {
      ...common,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: Array.from(histogram.all(), (series) => histogramPoint(series, boundaries, times)),
    };
  }
  const dataPoints = family
    .read()
    .map(({ labels, value }) => ({ ...times, attributes: attributesOf(labels), value }));
  return family.kind === "gauge"
    ? { ...common, dataPointType: DataPointType.GAUGE, dataPoints }
    : { ...common, dataPointType: DataPointType.SUM, dataPoints, isMonotonic: true };
}

function histogramPoint({ labels, counts, sum, count }: HistogramSeries, boundaries: number[], times: Times) {
  return {
    ...times,
    attributes: attributesOf(labels),
    value: { buckets: { boundaries, counts: [...counts] }, sum, count },
  };
}

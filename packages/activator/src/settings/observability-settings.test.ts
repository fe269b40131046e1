import { DEFAULT_REQUEST_LOG_TEMPLATE } from "@rouse/shared";
import { expect, test } from "vitest";
import { parseObservabilitySettings } from "./observability-settings.ts";

test("A-41, A-47: without keys nothing is logged, traced or exported", () => {
  expect(parseObservabilitySettings({})).toEqual({
    tracing: { protocol: "none", endpoint: "", samplingRate: 0 },
    requestMetrics: { protocol: "none", endpoint: "", exportIntervalMs: 0 },
    requestLogTemplate: "",
  });
});

test("A-47: where spans and metrics go", () => {
  const settings = parseObservabilitySettings({
    "tracing-protocol": "grpc",
    "tracing-endpoint": "collector:4317",
    "tracing-sampling-rate": "0.25",
    "metrics-protocol": "http/protobuf",
    "metrics-endpoint": "http://collector:4318",
    "metrics-export-interval": "30s",
  });
  expect(settings.tracing).toEqual({ protocol: "grpc", endpoint: "collector:4317", samplingRate: 0.25 });
  expect(settings.requestMetrics).toEqual({
    protocol: "http/protobuf",
    endpoint: "http://collector:4318",
    exportIntervalMs: 30_000,
  });
});

test.each([
  { data: { "logging.enable-request-log": "true" }, want: DEFAULT_REQUEST_LOG_TEMPLATE },
  { data: { "logging.request-log-template": "{{.TraceID}}" }, want: "" },
  {
    data: { "logging.enable-request-log": "true", "logging.request-log-template": "{{.TraceID}}" },
    want: "{{.TraceID}}",
  },
])("A-41: the template of $data", ({ data, want }) => {
  expect(parseObservabilitySettings(data as Record<string, string>).requestLogTemplate).toBe(want);
});

test.each([
  { "logging.enable-request-log": "true", "logging.request-log-template": "" },
  { "logging.enable-request-log": "true", "logging.request-log-template": "{{" },
  { "tracing-protocol": "carrier-pigeon" },
  { "metrics-export-interval": "often" },
  { "tracing-sampling-rate": "some" },
])("A-41, A-149: %o is refused", (data) => {
  expect(() => parseObservabilitySettings(data as Record<string, string>)).toThrow(/^config-observability: /);
});

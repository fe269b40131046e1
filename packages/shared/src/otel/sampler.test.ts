import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from "@opentelemetry/api";
import { SamplingDecision } from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import { endpointUrl } from "./endpoint.ts";
import { samplerOf } from "./sampler.ts";

function isSampled(rate: number, parent: "sampled" | "unsampled" | "none", environment = {}): boolean {
  const context =
    parent === "none"
      ? ROOT_CONTEXT
      : trace.setSpanContext(ROOT_CONTEXT, {
          traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
          spanId: "00f067aa0ba902b7",
          traceFlags: parent === "sampled" ? TraceFlags.SAMPLED : TraceFlags.NONE,
          isRemote: true,
        });
  const { decision } = samplerOf(rate, environment).shouldSample(
    context,
    "ffffffff000000000000000000000000",
    "GET",
    SpanKind.SERVER,
    {},
    [],
  );
  return decision === SamplingDecision.RECORD_AND_SAMPLED;
}

test.each([
  { rate: 1, parent: "unsampled", want: true },
  { rate: 0, parent: "sampled", want: false },
  { rate: 0.5, parent: "sampled", want: true },
  { rate: 0.5, parent: "unsampled", want: false },
  { rate: 0.000001, parent: "none", want: false },
] as const)("Q-155: rate $rate and a parent that is $parent: $want", ({ rate, parent, want }) => {
  expect(isSampled(rate, parent)).toBe(want);
});

test.each([
  ["always_on", "unsampled", true],
  ["always_off", "sampled", false],
  ["parentbased_always_off", "sampled", true],
  ["parentbased_always_on", "none", true],
] as const)("Q-155: OTEL_TRACES_SAMPLER %s goes over the rate", (name, parent, want) => {
  expect(isSampled(want ? 0 : 1, parent, { OTEL_TRACES_SAMPLER: name })).toBe(want);
});

test.each([
  ["collector:4317", "grpc", {}, "https://collector:4317"],
  ["http://collector:4318", "http/protobuf", {}, "http://collector:4318/v1/traces"],
  ["http://collector/own/path", "http/protobuf", {}, "http://collector/own/path"],
  ["http://collector:4318", "http/protobuf", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://x" }, undefined],
  ["", "grpc", {}, undefined],
] as const)("Q-137: endpoint '%s' by %s", (endpoint, protocol, environment, want) => {
  expect(endpointUrl(endpoint, { signal: "traces", protocol }, environment)).toBe(want);
});

import { SpanStatusCode } from "@opentelemetry/api";
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { expect, test } from "vitest";
import { RecordingExchange, type RecordingRequest } from "../testing/recording-exchange.ts";
import { contextFields, endClientSpan, endServerSpan, startServerSpan } from "./request-spans.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

function setUp() {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    sampler: new AlwaysOnSampler(),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer("test");
  const begin = (request: RecordingRequest) =>
    startServerSpan(tracer, new RecordingExchange(undefined, request), { "kn.route.tag": "blue" });
  return { tracer, begin, ended: () => exporter.getFinishedSpans().at(-1) };
}

test("Q-150, Q-151, A-45: a server's span goes on with the client's trace, says what was asked, and the next one is told", () => {
  const { begin, ended } = setUp();
  const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, baggage: "a=b", "User-Agent": "curl" };
  const span = begin({ target: "/a?b", host: "h:8080", headers, client: { ip: "10.0.0.9", isTls: true } });
  const fields = Object.fromEntries(contextFields(span.context));
  endServerSpan(span, 503);
  expect(ended()).toMatchObject({
    name: "GET",
    status: { code: SpanStatusCode.ERROR },
    parentSpanContext: { traceId: TRACE, spanId: "00f067aa0ba902b7" },
    attributes: {
      "http.request.method": "GET",
      "url.scheme": "https",
      "url.path": "/a",
      "server.address": "h:8080",
      "client.address": "10.0.0.9",
      "network.protocol.version": "1.1",
      "user_agent.original": "curl",
      "kn.route.tag": "blue",
      "http.response.status_code": 503,
    },
  });
  expect(fields).toEqual({
    traceparent: `00-${TRACE}-${ended()?.spanContext().spanId}-01`,
    baggage: "a=b",
  });
});

test("Q-134: a method nobody knows is no name of a span", () => {
  const { begin, ended } = setUp();
  endServerSpan(begin({ method: "BREW" }), 404);
  expect(ended()).toMatchObject({
    name: "HTTP",
    status: { code: SpanStatusCode.UNSET },
    attributes: { "http.request.method": "_OTHER" },
  });
});

test.each([
  { status: 200, error: undefined, code: SpanStatusCode.UNSET, told: 200 },
  { status: 404, error: undefined, code: SpanStatusCode.ERROR, told: 404 },
  { status: 0, error: "refused", code: SpanStatusCode.ERROR, told: undefined },
  { status: 200, error: "broken off", code: SpanStatusCode.ERROR, told: 200 },
])("a client's span with status $status and error $error ends as $code", ({ status, error, code, told }) => {
  const { tracer, ended } = setUp();
  endClientSpan(tracer.startSpan("a"), status, error);
  expect(ended()?.status.code).toBe(code);
  expect(ended()?.attributes["http.response.status_code"]).toBe(told);
});

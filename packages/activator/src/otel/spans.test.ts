import { SpanStatusCode } from "@opentelemetry/api";
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { endpoint, endpointAddress, ProxyError, SeededRandom, silentLogger } from "@rouse/shared";
import { RecordingExchange, VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { ActivatorContext } from "../accept/context.ts";
import { PodSet } from "../balance/pod-set.ts";
import { forwardToPod } from "../forward/forward-to-pod.ts";
import { PodReach } from "../probe/pod-reach.ts";
import { newRevisionEntry } from "../resolve/revision-entry.ts";
import { revisionTarget } from "../resolve/revision-target.ts";
import { RevisionThrottle } from "../throttle/revision-throttle.ts";
import { Throttle } from "../throttle/throttle.ts";
import { TraceAttempt, TraceRequests, TraceTry } from "../trace/trace-requests.ts";
import { Spans } from "./spans.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`;

/** The layers that trace, around a throttle whose revision has so many pods. */
function setUp(pods: number) {
  const clock = new VirtualClock();
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    sampler: new AlwaysOnSampler(),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const set = new PodSet({
    containerConcurrency: 1,
    connect: (at) => ({ ...endpointAddress(at), close: () => {} }),
  });
  set.setUsable(
    Array.from({ length: pods }, (_, index) => endpoint({ ip: `10.0.0.${index + 1}`, port: 8012 })),
  );
  const entry = newRevisionEntry({
    target: revisionTarget({
      apiVersion: "serving.knative.dev/v1",
      kind: "Revision",
      metadata: { namespace: "default", name: "hello-1" },
      spec: { containers: [] },
    }),
    uid: "1",
    throttle: new RevisionThrottle(set, new SeededRandom(1)),
    reach: new PodReach("none"),
  });
  const throttle = new Throttle({ clock, log: silentLogger, missing: () => "" });
  const tracer = provider.getTracer("test");
  const [requests, tries, attempts] = [
    new TraceRequests({ begin: (exchange) => new Spans(tracer, exchange) }),
    new TraceTry(),
    new TraceAttempt(),
  ];
  const last = forwardToPod(throttle);
  const enter = (target = "/a?b", method = "GET") => {
    const context = new ActivatorContext();
    context.revision = entry;
    const exchange = new RecordingExchange(context, { method, target, headers: { traceparent } });
    requests.handle(exchange, () => {
      tries.handle(exchange, (tried) => throttle.handle(tried, (run) => attempts.handle(run, last)));
    });
    return exchange;
  };
  const spans = () =>
    exporter.getFinishedSpans().map((span) => ({
      name: span.name,
      status: span.status.code,
      parent: span.parentSpanContext?.spanId,
      id: span.spanContext().spanId,
      trace: span.spanContext().traceId,
      attributes: span.attributes,
    }));
  return { enter, spans, throttle, entry };
}

test("A-46: the try, the client's span, the proxy's, the server's, in this order, one within the other", () => {
  const { enter, spans } = setUp(1);
  const exchange = enter();
  const sent = exchange.forwards[0]?.headers.get("traceparent")?.[0] ?? "";
  exchange.upstreamCompletes(200);
  const [tried, client, proxy, server] = spans();
  expect(spans().map(({ name }) => name)).toEqual(["throttler_try", "GET /a", "activator_proxy", "GET"]);
  expect([tried?.parent, client?.parent, proxy?.parent]).toEqual([server?.id, proxy?.id, server?.id]);
  expect(server).toMatchObject({ trace: TRACE, parent: "00f067aa0ba902b7" });
  expect(sent).toBe(`00-${TRACE}-${client?.id}-01`);
  expect(server?.attributes).toMatchObject({
    "kn.revision.name": "hello-1",
    "k8s.namespace.name": "default",
    "http.response.status_code": 200,
  });
});

test("A-46: a wait that fails is a try with an error, and nothing was sent", () => {
  const { enter, spans, throttle, entry } = setUp(0);
  enter();
  throttle.failHeld(entry, new ProxyError("cannot-start", "no"));
  expect(spans().map(({ name, status }) => [name, status])).toEqual([
    ["throttler_try", SpanStatusCode.ERROR],
    ["GET", SpanStatusCode.ERROR],
  ]);
});

test("A-46: each attempt has spans of its own", () => {
  const { enter, spans } = setUp(2);
  const exchange = enter("");
  exchange.upstreamFails({ isRetriable: true });
  exchange.upstreamCompletes(200);
  expect(spans().map(({ name, status }) => [name, status])).toEqual([
    ["throttler_try", SpanStatusCode.UNSET],
    ["GET /", SpanStatusCode.ERROR],
    ["activator_proxy", SpanStatusCode.UNSET],
    ["GET /", SpanStatusCode.UNSET],
    ["activator_proxy", SpanStatusCode.UNSET],
    ["GET", SpanStatusCode.UNSET],
  ]);
});

test.each([
  { method: "QUERY", name: "QUERY", attribute: "QUERY" },
  { method: "BREW", name: "HTTP", attribute: "_OTHER" },
])("A-46: a span of $method is named $name", ({ method, name, attribute }) => {
  const { enter, spans } = setUp(1);
  enter("/a", method).upstreamCompletes(200);
  expect(spans().at(-1)).toMatchObject({ name, attributes: { "http.request.method": attribute } });
});

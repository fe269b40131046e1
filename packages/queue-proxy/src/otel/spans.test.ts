import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { BreakerCore } from "@rouse/shared";
import { RecordingExchange, type RecordingRequest } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { QueueProxyContext } from "../accept/context.ts";
import { LimitConcurrency, unlimitedConcurrency } from "../limit/limit-concurrency.ts";
import { TraceForward, TraceRequests, TraceWait } from "../trace/trace-requests.ts";
import { Spans } from "./spans.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const program = { ip: "127.0.0.1", port: 8080 };

/** The layers that trace, around a breaker of so many places, or none. */
function setUp(places: number) {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    sampler: new AlwaysOnSampler(),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer("test");
  const requests = new TraceRequests({ begin: (exchange, tag) => new Spans(tracer, exchange, tag) });
  const wait = new TraceWait({ isLimited: places > 0 });
  const limit =
    places > 0
      ? new LimitConcurrency(new BreakerCore({ queueDepth: 1, maxConcurrency: places }, places))
      : unlimitedConcurrency;
  const forward = new TraceForward();
  const enter = (request: RecordingRequest = {}) => {
    const exchange = new RecordingExchange(new QueueProxyContext(), {
      ...request,
      headers: { traceparent: `00-${TRACE}-${PARENT}-01`, baggage: "a=b", ...request.headers },
    });
    requests.handle(exchange, (inside) =>
      wait.handle(inside, (waiting) =>
        limit.handle(waiting, (admitted) => forward.handle(admitted, (last) => last.forward(program))),
      ),
    );
    return exchange;
  };
  const spans = () =>
    exporter.getFinishedSpans().map((span) => ({
      name: span.name,
      kind: span.kind,
      status: span.status.code,
      parent: span.parentSpanContext?.spanId,
      id: span.spanContext().spanId,
      trace: span.spanContext().traceId,
      attributes: span.attributes,
    }));
  return { enter, spans };
}

test("Q-151: the wait and the client's span within the proxy's, that within the server's, named by its method", () => {
  const { enter, spans } = setUp(1);
  const exchange = enter({ headers: { "Knative-Serving-Tag": "blue" } });
  exchange.upstreamCompletes(200);
  const [wait, client, proxy, server] = spans();
  expect(spans().map(({ name }) => name)).toEqual([
    "kn.queueproxy.wait",
    "HTTP GET",
    "kn.queueproxy.proxy",
    "GET",
  ]);
  expect([wait?.parent, client?.parent, proxy?.parent]).toEqual([proxy?.id, proxy?.id, server?.id]);
  expect([server?.kind, client?.kind]).toEqual([SpanKind.SERVER, SpanKind.CLIENT]);
  expect(server).toMatchObject({ trace: TRACE, parent: PARENT, attributes: { "kn.route.tag": "blue" } });
  expect(new Set(spans().map(({ trace }) => trace))).toEqual(new Set([TRACE]));
});

test("Q-150: the program is told the client's span as its parent, and the baggage as it came", () => {
  const { enter, spans } = setUp(0);
  const exchange = enter();
  const sent = exchange.forwards[0]?.headers;
  exchange.upstreamCompletes(200);
  const client = spans().find(({ name }) => name === "HTTP GET");
  expect([sent?.get("traceparent"), sent?.get("baggage")]).toEqual([
    [`00-${TRACE}-${client?.id}-01`],
    ["a=b"],
  ]);
});

test("Q-151: without a breaker there is no wait; a method nobody knows is HTTP", () => {
  const { enter, spans } = setUp(0);
  enter({ method: "BREW" }).upstreamCompletes(200);
  expect(spans().map(({ name }) => name)).toEqual(["HTTP HTTP", "kn.queueproxy.proxy", "HTTP"]);
});

test.each([
  { status: 200, server: SpanStatusCode.UNSET, client: SpanStatusCode.UNSET },
  { status: 404, server: SpanStatusCode.UNSET, client: SpanStatusCode.ERROR },
  { status: 500, server: SpanStatusCode.ERROR, client: SpanStatusCode.ERROR },
])("Q-151: of $status the server's span is an error from 500 up, the client's from 400 up", (row) => {
  const { enter, spans } = setUp(0);
  enter().upstreamCompletes(row.status);
  const [client, , server] = spans();
  expect([server?.status, client?.status]).toEqual([row.server, row.client]);
  expect(server?.attributes["http.response.status_code"]).toBe(row.status);
});

test("Q-151: the wait of one that is turned away, or leaves meanwhile, ends with it, and no client's span begins", () => {
  const { enter, spans } = setUp(1);
  enter();
  const waiting = enter();
  expect(enter().answer?.status).toBe(503);
  expect(spans().map(({ name, status }) => [name, status])).toEqual([
    ["kn.queueproxy.wait", SpanStatusCode.UNSET], // of the first, which was admitted
    ["kn.queueproxy.wait", SpanStatusCode.UNSET],
    ["kn.queueproxy.proxy", SpanStatusCode.UNSET],
    ["GET", SpanStatusCode.ERROR],
  ]);
  waiting.clientLeaves();
  expect(
    spans()
      .map(({ name }) => name)
      .slice(4),
  ).toEqual(["kn.queueproxy.wait", "kn.queueproxy.proxy", "GET"]);
});

test.each([
  { "User-Agent": "kube-probe/1.33" },
  { "K-Kubelet-Probe": "queue" },
  { "K-Network-Probe": "probe" },
])("Q-152: a probe has no span: %j", (headers) => {
  const { enter, spans } = setUp(1);
  enter({ headers }).upstreamCompletes(200);
  expect(spans()).toEqual([]);
});

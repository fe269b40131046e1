import { exposition, ProxyError } from "@rouse/shared";
import { RecordingExchange, VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { QueueProxyContext } from "../accept/context.ts";
import { OldMetrics } from "./old-metrics.ts";
import { RequestMetrics } from "./request-metrics.ts";
import { oldRouteTag, routeTag } from "./route-tag.ts";

describe("of requests", () => {
  function setUp(queueDepth: number | undefined = undefined) {
    const clock = new VirtualClock();
    const metrics = new RequestMetrics(clock, { userPort: 8080, queueDepth: () => queueDepth });
    const enter = (request: ConstructorParameters<typeof RecordingExchange>[1] = {}) => {
      const exchange = new RecordingExchange(new QueueProxyContext(), request);
      metrics.server.handle(exchange, (next) => metrics.invocation.handle(next, () => {}));
      return exchange;
    };
    return { clock, enter, text: () => exposition(metrics.families()) };
  }

  test("Q-133: durations are in seconds, with the fractions the reference once lost (E-22)", () => {
    const { clock, enter, text } = setUp();
    const exchange = enter();
    exchange.forward({ ip: "127.0.0.1", port: 8080 });
    clock.advance(30);
    exchange.upstreamCompletes(201);
    expect(text()).toContain(
      'kn_serving_invocation_duration_seconds_sum{http_response_status_code="201",otel_scope_name="knative.dev/serving/pkg/queue"} 0.03',
    );
  });

  test("Q-133: the gauge is read when somebody looks, and is not there without a breaker (E-5)", () => {
    expect(setUp(3).text()).toContain(
      'kn_serving_queue_depth{otel_scope_name="knative.dev/serving/pkg/queue"} 3',
    );
    expect(setUp().text()).not.toContain("queue_depth");
  });

  test("Q-17, Q-152: probes are not measured", () => {
    const { enter, text } = setUp();
    for (const headers of [
      { "User-Agent": "kube-probe/1" },
      { "K-Kubelet-Probe": "x" },
      { "K-Network-Probe": "anything" },
    ]) {
      enter({ headers }).respond({ status: 200 });
    }
    expect(text()).toBe("");
  });

  test("Q-134: methods nobody knows are one series, and leave room for others however many there are", () => {
    const { enter, text } = setUp();
    for (let index = 0; index < 3_000; index++) enter({ method: `BREW${index}` }).respond({ status: 200 });
    enter().respond({ status: 200 });
    const counts = text().match(/http_server_request_duration_seconds_count\{.*\} \d+/g) ?? [];
    expect(counts.length).toBe(2);
    expect(counts[0]).toMatch(/http_request_method="_OTHER".*\} 3000$/);
  });

  test.each([
    {
      why: "with the scheme's own port and without",
      requests: [{ host: "a" }, { host: "a:80" }],
      of: "server",
    },
    { why: "by HTTP/1.0 and by 1.1", requests: [{ version: "1.0" }, { version: "1.1" }], of: "client" },
  ] as const)("Q-133: what is labelled alike is one series: $why", ({ requests, of }) => {
    const { enter, text } = setUp();
    for (const request of requests) {
      const exchange = enter(request);
      exchange.forward({ ip: "127.0.0.1", port: 8080 });
      exchange.upstreamCompletes(200);
    }
    const counts =
      text().match(new RegExp(`http_${of}_request_duration_seconds_count\\{.*\\} \\d+`, "g")) ?? [];
    expect(counts.map((line) => line.replace(/.*\} /, ""))).toEqual(["2"]);
  });

  test("hosts clients make up have an end (E-16)", () => {
    const { enter, text } = setUp();
    for (let index = 0; index < 150; index++) enter({ host: `h${index}.example` }).respond({ status: 200 });
    const counts = text().match(/http_server_request_duration_seconds_count\{.*\} \d+/g) ?? [];
    expect(counts.length).toBe(101);
    expect(counts.at(-1)).toMatch(/server_address="_other".*\} 50$/);
  });

  test("a client that left is 499, an answer that was cut is not recorded for the server and 500 for the invocation (E-6)", () => {
    const { enter, text } = setUp();
    enter().clientLeaves();
    const cut = enter();
    cut.forward({ ip: "127.0.0.1", port: 8080 });
    cut.upstreamStarts(200);
    cut.abort(new ProxyError("upstream-closed", "unexpected EOF"));
    expect(text()).toMatch(/http_server_request_duration_seconds_count\{.*status_code="499".*\} 1/);
    expect(text()).not.toMatch(/http_server_request_duration_seconds_count\{.*status_code="(200|500)"/);
    expect(text()).toMatch(/kn_serving_invocation_duration_seconds_count\{http_response_status_code="500"/);
  });

  test("Q-138: the old names count whole milliseconds, and say unknown for no service", () => {
    const clock = new VirtualClock();
    const old = new OldMetrics(clock, {
      namespace: "ns",
      service: "",
      configuration: "c",
      revision: "r",
      podName: "p",
      queueDepth: () => 1,
    });
    const exchange = new RecordingExchange(new QueueProxyContext(), {
      headers: { "Knative-Serving-Tag": "blue" },
    });
    old.server.handle(exchange, (next) => old.app.handle(next, () => {}));
    exchange.forward({ ip: "127.0.0.1", port: 8080 });
    clock.advance(7.9);
    exchange.upstreamCompletes(404);
    const common =
      'namespace_name="ns",service_name="unknown",configuration_name="c",revision_name="r",pod_name="p",container_name="queue-proxy"';
    const text = exposition(old.families());
    expect(text).toContain(
      `revision_request_count{${common},response_code="404",response_code_class="4xx",route_tag="blue"} 1\n`,
    );
    expect(text).toContain(
      `revision_app_request_latencies_sum{${common},response_code="404",response_code_class="4xx"} 7\n`,
    );
    expect(text).toContain(`revision_queue_depth{${common}} 1\n`);
  });
});

test.each([
  { tag: "test-tag", isDefault: "", want: "test-tag", old: "test-tag" },
  { tag: "", isDefault: "true", want: "kn:default", old: "DEFAULT" },
  { tag: "test-tag", isDefault: "true", want: "kn:undefined", old: "UNDEFINED" },
  { tag: "", isDefault: "", want: "kn:disabled", old: "DISABLED" },
])("V-9, Q-28: tag '$tag' and default '$isDefault' are $want", ({ tag, isDefault, want, old }) => {
  const headers = { "Knative-Serving-Tag": tag, "Knative-Serving-Default-Route": isDefault };
  const found = routeTag(new RecordingExchange(undefined, { headers }).request);
  expect([found, oldRouteTag(found)]).toEqual([want, old]);
});

import { exposition, ProxyError } from "@rouse/shared";
import { RecordingExchange, VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { QueueProxyContext } from "../accept/context.ts";
import { OldMetrics } from "./old-metrics.ts";
import { RequestMetrics } from "./request-metrics.ts";

const SECONDS = "0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10 +Inf";
const BYTES = "0 5 10 25 50 75 100 250 500 750 1000 2500 5000 7500 10000 +Inf";
const OLD_MS =
  "5 10 20 40 60 80 100 150 200 250 300 350 400 450 500 600 700 800 900 1000 2000 5000 10000 20000 50000 100000 +Inf";

/** Bounds of a histogram's buckets, as the exposition has them. */
function bounds(text: string, name: string): string {
  return Array.from(
    text.matchAll(new RegExp(`^${name}_bucket\\{.*le="([^"]+)"\\}`, "gm")),
    ([, le]) => le,
  ).join(" ");
}

/** Names of a series' labels, `le` left out. */
function labels(text: string, name: string): readonly (string | undefined)[] {
  const [, inside = ""] = new RegExp(`^${name}\\{(.*)\\} `, "m").exec(text) ?? [];
  return Array.from(inside.matchAll(/([a-z_]+)="/g), ([, label]) => label);
}

function setUp() {
  const clock = new VirtualClock();
  const metrics = new RequestMetrics(clock, { userPort: 8080, queueDepth: () => 2 });
  const exchange = new RecordingExchange(new QueueProxyContext(), {
    host: "hello.example:8443",
    headers: { "Knative-Serving-Tag": "blue" },
  });
  return { clock, metrics, exchange, text: () => exposition(metrics.families()) };
}

test("Q-133: each metric has the contract's name, type, buckets and attributes", () => {
  const { clock, metrics, exchange, text } = setUp();
  metrics.server.handle(exchange, (next) => metrics.invocation.handle(next, () => {}));
  exchange.forward({ ip: "127.0.0.1", port: 8080 });
  exchange.requestBodyBytes = 7;
  clock.advance(40);
  exchange.upstreamStarts(200);
  clock.advance(60);
  exchange.upstreamCompletes();
  const all = text();
  const server = [
    "kn_route_tag",
    "http_request_method",
    "url_scheme",
    "server_address",
    "server_port",
    "network_protocol_name",
    "network_protocol_version",
    "http_response_status_code",
    "otel_scope_name",
  ];
  for (const [name, type, wantedBounds, wantedLabels] of [
    [
      "kn_serving_invocation_duration_seconds",
      "histogram",
      SECONDS,
      ["http_response_status_code", "otel_scope_name"],
    ],
    ["http_server_request_duration_seconds", "histogram", SECONDS, server],
    ["http_server_request_body_size_bytes", "histogram", BYTES, server],
    ["http_server_response_body_size_bytes", "histogram", BYTES, server],
    ["http_client_request_duration_seconds", "histogram", SECONDS, server],
    ["http_client_request_body_size_bytes", "histogram", BYTES, server],
  ] as const) {
    expect([name, all.includes(`# TYPE ${name} ${type}\n`)]).toEqual([name, true]);
    expect([name, bounds(all, name)]).toEqual([name, wantedBounds]);
    expect([name, labels(all, `${name}_count`)]).toEqual([name, wantedLabels]);
  }
  expect(all).toContain("# TYPE kn_serving_queue_depth gauge\n");
  expect(all).toMatch(/^kn_serving_queue_depth\{.*\} 2$/m);
  expect(all).toMatch(/^http_server_request_duration_seconds_sum\{.*server_port="8443".*\} 0.1$/m);
  expect(all).toMatch(/^http_server_request_body_size_bytes_sum\{.*\} 7$/m);
  // Until the answer's head, and to the program's own address.
  expect(all).toMatch(
    /^http_client_request_duration_seconds_sum\{.*server_address="127.0.0.1",server_port="8080".*\} 0.04$/m,
  );
});

test("Q-133: a program that does not answer is told by what went wrong, in place of a status", () => {
  const { metrics, exchange, text } = setUp();
  metrics.server.handle(exchange, (next) => metrics.invocation.handle(next, () => {}));
  const error = new ProxyError("upstream-refused", "connect: connection refused");
  exchange.context.upstreamError = error;
  exchange.fail(error);
  expect(text()).toMatch(
    /^http_client_request_duration_seconds_count\{.*error_type="upstream-refused".*\} 1$/m,
  );
  expect(text()).toMatch(
    /^kn_serving_invocation_duration_seconds_count\{http_response_status_code="502".*\} 1$/m,
  );
});

test("Q-49: one that is turned away is a 503 of the server's metrics, and no invocation", () => {
  const { metrics, exchange, text } = setUp();
  metrics.server.handle(exchange, (rejected) =>
    rejected.fail(new ProxyError("queue-full", "pending request queue full")),
  );
  expect(text()).toMatch(/^http_server_request_duration_seconds_count\{.*status_code="503".*\} 1$/m);
  expect(text()).not.toContain("kn_serving_invocation_duration_seconds_count");
  expect(text()).not.toContain("http_client_request_duration_seconds_count");
});

test("Q-138: latencies under the old names have the old buckets, and a 504 of ours is counted for the server", () => {
  const clock = new VirtualClock();
  const old = new OldMetrics(clock, {
    namespace: "ns",
    service: "s",
    configuration: "c",
    revision: "r",
    podName: "p",
    queueDepth: () => undefined,
  });
  const exchange = new RecordingExchange(new QueueProxyContext());
  old.server.handle(exchange, (next) => old.app.handle(next, () => {}));
  exchange.fail(new ProxyError("request-timeout", "request timeout"));
  const text = exposition(old.families());
  expect(bounds(text, "revision_request_latencies")).toBe(OLD_MS);
  expect(bounds(text, "revision_app_request_latencies")).toBe(OLD_MS);
  expect(text).toMatch(/^revision_request_count\{.*response_code="504",response_code_class="5xx".*\} 1$/m);
  expect(text).not.toMatch(/^revision_queue_depth/m);
});

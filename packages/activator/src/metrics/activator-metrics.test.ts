import { endpointAddress, exposition, SeededRandom } from "@rouse/shared";
import { RecordingExchange, VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { ActivatorContext } from "../accept/context.ts";
import { PodSet } from "../balance/pod-set.ts";
import { PodReach } from "../probe/pod-reach.ts";
import { newRevisionEntry, type RevisionEntry } from "../resolve/revision-entry.ts";
import { revisionTarget } from "../resolve/revision-target.ts";
import { RevisionThrottle } from "../throttle/revision-throttle.ts";
import { ActivatorMetrics, type MetricSources } from "./activator-metrics.ts";
import { RequestMetrics } from "./request-metrics.ts";

function entryNamed(name: string): RevisionEntry {
  const pods = new PodSet({
    containerConcurrency: 1,
    connect: (at) => ({ ...endpointAddress(at), close: () => {} }),
  });
  return newRevisionEntry({
    target: revisionTarget({
      apiVersion: "serving.knative.dev/v1",
      kind: "Revision",
      metadata: { namespace: "default", name, labels: { "serving.knative.dev/service": 'a"b' } },
      spec: { containers: [] },
    }),
    uid: "1",
    throttle: new RevisionThrottle(pods, new SeededRandom(1)),
    reach: new PodReach("none"),
  });
}

const SCOPE = 'otel_scope_name="knative.dev/serving/pkg/activator"';
const REVISION =
  'k8s_namespace_name="default",kn_revision_name="hello-1",kn_service_name="a\\"b",kn_configuration_name=""';

function stateText(sources: Partial<MetricSources>, hasOldNames = false): string {
  const metrics = new ActivatorMetrics({ podName: "activator-1", hasOldNames });
  return exposition(
    metrics.families({ entries: () => [], reported: () => undefined, connection: undefined, ...sources }),
  );
}

function requests(options: { hasOldNames?: boolean; hasPodAddresses?: boolean } = {}) {
  const clock = new VirtualClock();
  const metrics = new RequestMetrics(clock, {
    podName: "activator-1",
    hasOldNames: false,
    hasPodAddresses: false,
    ...options,
  });
  const enter = (
    revision: RevisionEntry | undefined,
    request: ConstructorParameters<typeof RecordingExchange>[1] = {},
  ) => {
    const context = new ActivatorContext();
    context.revision = revision;
    const exchange = new RecordingExchange(context, { receivedAt: clock.now(), ...request });
    metrics.handle(exchange, () => {});
    return exchange;
  };
  return { clock, enter, text: () => exposition(metrics.families()) };
}

test("A-49: the concurrency is the one reported, of revisions there are", () => {
  const entry = entryNamed("hello-1");
  const text = stateText({ entries: () => [entry], reported: () => 2.5 });
  expect(text).toContain(`kn_revision_request_concurrency{${REVISION},${SCOPE}} 2.5\n`);
  expect(stateText({ reported: () => 2.5 })).not.toContain("hello-1");
});

test("A-48: what waits and runs is read when it is asked for; a revision with neither is left out", () => {
  const [busy, idle] = [entryNamed("busy"), entryNamed("idle")];
  const sources = { entries: () => [busy, idle] };
  expect(stateText(sources)).not.toContain("kn_revision_request_queued");
  busy.throttle.holdAgain(Object.create(null), () => false);
  const text = stateText(sources);
  const labels = `k8s_namespace_name="default",kn_revision_name="busy",${SCOPE}`;
  expect(text).toContain(`kn_revision_request_queued{${labels}} 1\n`);
  expect(text).toContain(`kn_revision_request_active{${labels}} 0\n`);
  expect(text).not.toContain('kn_revision_name="idle"');
});

test("A-99: the connection to the autoscaler, where there is one", () => {
  const text = stateText({ connection: { isConnected: true, errors: 3 } });
  expect(text).toContain(`kn_activator_stats_conn_reachable{peer="autoscaler",${SCOPE}} 1\n`);
  expect(text).toContain("# TYPE kn_activator_stats_conn_errors_total counter\n");
  expect(text).toContain(`kn_activator_stats_conn_errors_total{peer="autoscaler",${SCOPE}} 3\n`);
});

test("cold starts are there once there was one, phase by phase", () => {
  const metrics = new ActivatorMetrics({ podName: "", hasOldNames: false });
  const sources = { entries: () => [], reported: () => undefined, connection: undefined };
  expect(exposition(metrics.families(sources))).toBe("");
  metrics.coldStarted([1, 2, 3, 40, 5, 6, 7]);
  const text = exposition(metrics.families(sources));
  expect(text).toContain('rouse_activator_cold_start_seconds_sum{phase="listen"} 0.04\n');
  expect(text).toContain('rouse_activator_cold_start_seconds_count{phase="respond"} 1\n');
});

test("A-49: durations and sizes under the contract's names, gone with their revision", () => {
  const { clock, enter, text } = requests();
  const entry = entryNamed("hello-1");
  const exchange = enter(entry, { host: "hello.example:8080" });
  exchange.forward({ ip: "10.0.0.1", port: 8012 });
  clock.advance(20);
  exchange.upstreamStarts(200);
  exchange.upstreamSends(7);
  exchange.upstreamCompletes();
  const get =
    'http_request_method="GET",url_scheme="http",network_protocol_name="http",network_protocol_version="1.1",' +
    `server_address="hello.example",server_port="8080",http_response_status_code="200",${REVISION}`;
  const scope = 'otel_scope_name="rouse.dev/activator"';
  expect(text()).toContain(`http_server_request_duration_seconds_bucket{${get},${scope},le="0.01"} 0\n`);
  expect(text()).toContain(`http_server_request_duration_seconds_bucket{${get},${scope},le="0.025"} 1\n`);
  expect(text()).toContain(`http_server_response_body_size_bytes_sum{${get},${scope}} 7\n`);
  enter(entry, { method: "BREW" }).clientLeaves();
  expect(text()).toMatch(/_count\{http_request_method="_OTHER".*http_response_status_code="499"/);
  entry.isGone = true;
  expect(text()).not.toContain("hello-1");
});

test("A-49: of methods those of the standards are told apart, QUERY (RFC 10008) among them", () => {
  const { enter, text } = requests();
  for (const method of ["QUERY", "BREW", "STEW"]) enter(undefined, { method }).respond({ status: 200 });
  const told = text().matchAll(/http_server_request_duration_seconds_count\{http_request_method="(\w+)"/g);
  expect(Array.from(told, ([, method]) => method)).toEqual(["QUERY", "_OTHER"]);
});

test("A-49: a 404 has no attributes of a revision", () => {
  const { enter, text } = requests();
  enter(undefined).respond({ status: 404 });
  expect(text()).toContain('http_response_status_code="404",otel_scope_name');
  expect(text()).not.toContain("kn_revision_name");
});

test("A-49: of pods the address is told where it is asked for, and else it is one series for all", () => {
  const measure = (hasPodAddresses: boolean): string => {
    const { enter, text } = requests({ hasPodAddresses });
    for (const result of [200, "upstream-refused"]) {
      const exchange = enter(entryNamed("hello-1"));
      const { context } = exchange;
      Object.assign(context, { sentAt: 0, podTookMs: 30, podResult: result, podAddress: "10.0.0.1:8012" });
      exchange.respond({ status: 200 });
    }
    return text();
  };
  expect(measure(false)).not.toContain("10.0.0.1");
  expect(measure(false)).toMatch(
    /http_client_request_duration_seconds_sum\{.*error_type="upstream-refused".*\} 0.03/,
  );
  expect(measure(true)).toContain('server_address="10.0.0.1",server_port="8012"');
});

test("hosts clients make up have an end", () => {
  const { enter, text } = requests();
  const entry = entryNamed("hello-1");
  for (let index = 0; index < 50; index++)
    enter(entry, { host: `h${index}.example` }).respond({ status: 200 });
  const counts = text().match(/http_server_request_duration_seconds_count\{.*\} \d+/g) ?? [];
  expect(counts.length).toBe(21);
  expect(counts.at(-1)).toMatch(/server_address="_other".*\} 30$/);
});

test("A-50: the names of releases up to 1.18 where they are asked for, in whole milliseconds", () => {
  const { clock, enter, text } = requests({ hasOldNames: true });
  const entry = entryNamed("hello-1");
  const exchange = enter(entry);
  clock.advance(7.9);
  exchange.respond({ status: 503 });
  const labels =
    'namespace_name="default",service_name="a\\"b",configuration_name="unknown",revision_name="hello-1",pod_name="activator-1",container_name="activator"';
  const codes = 'response_code="503",response_code_class="5xx"';
  expect(text()).toContain(`activator_request_count{${labels},${codes}} 1\n`);
  expect(text()).toContain(`activator_request_latencies_sum{${labels},${codes}} 7\n`);
  expect(text()).toContain(`activator_request_latencies_bucket{${labels},${codes},le="100000"} 1\n`);
  const state = stateText({ entries: () => [entry], reported: () => 2 }, true);
  expect(state).toContain(`activator_request_concurrency{${labels}} 2\n`);
  expect(requests().text()).not.toContain("activator_request");
});

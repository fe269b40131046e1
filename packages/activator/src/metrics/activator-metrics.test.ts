import { endpointAddress, SeededRandom } from "@rouse/shared";
import { expect, test } from "vitest";
import { PodSet } from "../balance/pod-set.ts";
import type { RevisionEntry } from "../resolve/revision-entry.ts";
import { revisionTarget } from "../resolve/revision-target.ts";
import { RetryBudget } from "../throttle/retry.ts";
import { RevisionThrottle } from "../throttle/revision-throttle.ts";
import { PodReadiness } from "../watch/pod-readiness.ts";
import { ActivatorMetrics } from "./activator-metrics.ts";
import { Histogram } from "./histogram.ts";

function entryNamed(name: string): RevisionEntry {
  const pods = new PodSet({
    containerConcurrency: 1,
    connect: (at) => ({ ...endpointAddress(at), close: () => {} }),
  });
  return {
    target: revisionTarget({
      apiVersion: "serving.knative.dev/v1",
      kind: "Revision",
      metadata: { namespace: "default", name, labels: { "serving.knative.dev/service": 'a"b' } },
      spec: { containers: [] },
    }),
    uid: "1",
    throttle: new RevisionThrottle(pods, new SeededRandom(1)),
    readiness: new PodReadiness(),
    retrying: new Set(),
    retryBudget: new RetryBudget(),
    heldBytes: 0,
    unlistedSince: undefined,
    failure: undefined,
    waitTimer: undefined,
    isGone: false,
    ejections: new Set(),
  };
}

test("A-48, A-49: durations under the contract's name, gone with their revision", () => {
  const metrics = new ActivatorMetrics();
  const entry = entryNamed("hello-1");
  const sources = { entries: () => [entry], reported: () => 2.5, connection: undefined };
  metrics.ended(entry, { method: "GET", status: 200 }, 0.02);
  metrics.ended(entry, { method: "GET", status: 200 }, 20);
  metrics.ended(entry, { method: "BREW", status: 0 }, 0.001);
  const text = metrics.text(sources);
  const labels =
    'k8s_namespace_name="default",kn_revision_name="hello-1",kn_service_name="a\\"b",kn_configuration_name=""';
  const get = `http_request_method="GET",http_response_status_code="200",${labels}`;
  expect(text).toContain(`kn_revision_request_concurrency{${labels}} 2.5\n`);
  expect(text).toContain(`http_server_request_duration_seconds_bucket{${get},le="0.01"} 0\n`);
  expect(text).toContain(`http_server_request_duration_seconds_bucket{${get},le="0.025"} 1\n`);
  expect(text).toContain(`http_server_request_duration_seconds_bucket{${get},le="+Inf"} 2\n`);
  expect(text).toContain(`http_server_request_duration_seconds_count{${get}} 2\n`);
  expect(text).toContain('http_request_method="_OTHER",http_response_status_code="499"');
  entry.isGone = true;
  expect(metrics.text({ ...sources, entries: () => [] })).not.toContain("hello-1");
});

test("A-48: what waits and runs is read when it is asked for; a revision with neither is left out", () => {
  const metrics = new ActivatorMetrics();
  const [busy, idle] = [entryNamed("busy"), entryNamed("idle")];
  busy.heldBytes = 1;
  const sources = { entries: () => [busy, idle], reported: () => undefined, connection: undefined };
  expect(metrics.text(sources)).not.toContain("kn_revision_request_queued");
  busy.throttle.holdAgain(Object.create(null), () => false);
  const text = metrics.text(sources);
  expect(text).toContain(
    'kn_revision_request_queued{k8s_namespace_name="default",kn_revision_name="busy"} 1',
  );
  expect(text).toContain(
    'kn_revision_request_active{k8s_namespace_name="default",kn_revision_name="busy"} 0',
  );
  expect(text).not.toContain('kn_revision_name="idle"');
});

test("A-99: the connection to the autoscaler, where there is one", () => {
  const text = new ActivatorMetrics().text({
    entries: () => [],
    reported: () => undefined,
    connection: { isConnected: true, errors: 3 },
  });
  expect(text).toContain('kn_activator_stats_conn_reachable{peer="autoscaler"} 1\n');
  expect(text).toContain("# TYPE kn_activator_stats_conn_errors_total counter\n");
  expect(text).toContain('kn_activator_stats_conn_errors_total{peer="autoscaler"} 3\n');
});

test("a histogram counts a value at its bound below it", () => {
  const histogram = new Histogram([1, 2]);
  for (const value of [1, 1.5, 2, 3]) histogram.observe(value);
  expect(histogram.cumulative()).toEqual([
    ["1", 1],
    ["2", 3],
    ["+Inf", 4],
  ]);
  expect([histogram.count, histogram.sum]).toEqual([4, 7.5]);
});

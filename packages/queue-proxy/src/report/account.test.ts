import { RecordingExchange, VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { QueueProxyContext } from "../accept/context.ts";
import { Account } from "./account.ts";
import { RequestStats } from "./request-stats.ts";

function setUp() {
  const clock = new VirtualClock();
  const stats = new RequestStats(clock.now());
  const layer = new Account(clock, stats);
  const enter = (headers: Record<string, string> = {}) => {
    const exchange = new RecordingExchange(new QueueProxyContext(), { headers });
    layer.handle(exchange, () => {});
    return exchange;
  };
  return { clock, stats, enter };
}

test("V-11: a request through an activator is proxied as well as plain", () => {
  const { clock, stats, enter } = setUp();
  enter({ "K-Proxy-Request": "activator" });
  enter({ "K-Proxy-Request": "Activator" });
  clock.advance(1_000);
  expect(stats.report(clock.now())).toMatchObject({
    averageConcurrency: 2,
    averageProxiedConcurrency: 1,
    requestCount: 2,
    proxiedRequestCount: 1,
  });
});

test("Q-20: a departure is recorded however the request ends", () => {
  const { stats, enter } = setUp();
  enter().respond({ status: 503 });
  enter().clientLeaves();
  expect(stats.concurrency).toBe(0);
});

test("Q-18: the kubelet's own request is not counted", () => {
  const { clock, stats, enter } = setUp();
  const exchange = enter({ "K-Kubelet-Probe": "queue" });
  expect(exchange.context.isKubeletMarked).toBe(true);
  exchange.respond({ status: 200 });
  expect([stats.concurrency, stats.report(clock.now()).requestCount]).toEqual([0, 0]);
});

import { BreakerCore, ProxyError } from "@rouse/shared";
import { RecordingExchange } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { QueueProxyContext } from "../accept/context.ts";
import { LimitConcurrency } from "./limit-concurrency.ts";

function setUp(limits = { queueDepth: 10, maxConcurrency: 1 }) {
  const breaker = new BreakerCore(limits, limits.maxConcurrency);
  const layer = new LimitConcurrency(breaker);
  const ran: string[] = [];
  const enter = (target: string, context = new QueueProxyContext()) => {
    const exchange = new RecordingExchange(context, { target });
    layer.handle(exchange, (next) => ran.push(next.request.target));
    return exchange;
  };
  return { breaker, ran, enter };
}

test("V-4: depth 1 and concurrency 1: of three, one is turned away with 503", () => {
  const { ran, enter } = setUp({ queueDepth: 1, maxConcurrency: 1 });
  const [first, , third] = [enter("/1"), enter("/2"), enter("/3")];
  expect(third.answer).toEqual({ status: 503, body: "pending request queue full" });
  first.respond({ status: 200 });
  expect(ran).toEqual(["/1", "/2"]);
});

test("Q-45: places are handed over in order of arrival", () => {
  const { ran, enter } = setUp();
  const exchanges = ["/1", "/2", "/3", "/4"].map((target) => enter(target));
  for (const exchange of exchanges) exchange.respond({ status: 200 });
  expect(ran).toEqual(["/1", "/2", "/3", "/4"]);
});

test("Q-44, Q-46: one that leaves while waiting is never run and leaves no trace", () => {
  const { breaker, ran, enter } = setUp();
  const first = enter("/1");
  const second = enter("/2");
  enter("/3");
  second.clientLeaves();
  expect([breaker.running, breaker.queued]).toEqual([1, 1]);
  first.respond({ status: 200 });
  expect(ran).toEqual(["/1", "/3"]);
});

test("Q-48, Q-55: a deadline while waiting frees the place in the queue", () => {
  const { breaker, enter } = setUp();
  enter("/1");
  enter("/2").fail(new ProxyError("request-timeout", "request timeout"));
  expect([breaker.running, breaker.queued]).toEqual([1, 0]);
});

test("Q-44, Q-48: whoever ends however while running, its place is the next one's at once", () => {
  const { breaker, ran, enter } = setUp();
  const [first, second, third] = [enter("/1"), enter("/2"), enter("/3"), enter("/4")];
  first.fail(new ProxyError("request-timeout", "request timeout"));
  expect(ran).toEqual(["/1", "/2"]);
  second.clientLeaves();
  expect(ran).toEqual(["/1", "/2", "/3"]);
  third.abort(new ProxyError("upstream-closed", "unexpected EOF"));
  expect(ran).toEqual(["/1", "/2", "/3", "/4"]);
  expect([breaker.running, breaker.queued]).toEqual([1, 0]);
});

test("V-4: the kubelet's own requests all run at once", () => {
  const { breaker, ran, enter } = setUp();
  for (const target of ["/1", "/2", "/3"]) {
    const context = new QueueProxyContext();
    context.isKubeletMarked = true;
    enter(target, context).respond({ status: 200 });
  }
  expect([ran.length, breaker.running]).toEqual([3, 0]);
});

import { endpoint, endpointAddress, SeededRandom, silentLogger } from "@rouse/shared";
import { RecordingExchange, VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { ActivatorContext } from "../accept/context.ts";
import { PodSet } from "../balance/pod-set.ts";
import { forwardToPod } from "../forward/forward-to-pod.ts";
import { PodReach } from "../probe/pod-reach.ts";
import { newRevisionEntry } from "../resolve/revision-entry.ts";
import { revisionTarget } from "../resolve/revision-target.ts";
import { RevisionThrottle } from "./revision-throttle.ts";
import { Throttle } from "./throttle.ts";

const MARKED = { "Rouse-Not-Started": "true" };

function setUp(pods: number, containerConcurrency = 1) {
  const clock = new VirtualClock();
  const set = new PodSet({
    containerConcurrency,
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
      spec: { containers: [], containerConcurrency },
    }),
    uid: "1",
    throttle: new RevisionThrottle(set, new SeededRandom(1)),
    reach: new PodReach("none"),
  });
  const throttle = new Throttle({ clock, log: silentLogger, missing: () => "" });
  const next = forwardToPod(throttle);
  const enter = (method = "POST") => {
    const context = new ActivatorContext();
    context.revision = entry;
    const exchange = new RecordingExchange(context, { method, receivedAt: clock.now() });
    throttle.handle(exchange, next);
    return exchange;
  };
  return { clock, entry, throttle, enter, pods: set };
}

describe("a request a program was never given", () => {
  test("A-104: a POST goes to another pod, and its client sees that pod's answer alone", () => {
    const { enter } = setUp(2);
    const exchange = enter();
    exchange.upstreamStarts(502, MARKED);
    expect(exchange.forwards.map(({ upstream }) => upstream.ip)).toEqual(["10.0.0.1", "10.0.0.2"]);
    exchange.upstreamCompletes(201);
    expect([exchange.status, exchange.outcome?.kind]).toEqual([201, "completed"]);
  });

  test("A-104, A-106: without the mark, or with another status, the answer is the program's, and goes through", () => {
    for (const [status, fields] of [
      [502, {}],
      [503, {}],
      [500, MARKED],
      [200, MARKED],
    ] as const) {
      const { enter } = setUp(2);
      const exchange = enter();
      exchange.upstreamStarts(status, fields);
      expect([exchange.forwards.length, exchange.status]).toEqual([1, status]);
    }
  });

  test("A-65: one whose program is gone is left out though it is the last, and all who wait are held, not failed", () => {
    const { clock, enter, entry } = setUp(1);
    const all = Array.from({ length: 100 }, () => enter());
    const attempt = () => all.filter(({ state }) => state === "forwarding");
    for (let round = 0; round < 6; round++) {
      for (const exchange of attempt()) exchange.upstreamStarts(502, MARKED);
      expect([entry.throttle.held, entry.throttle.pods.inFlight]).toEqual([100, 0]);
      clock.advance(2_000);
      expect(attempt().length).toBe(1);
    }
    expect(all.reduce((sum, { forwards }) => sum + forwards.length, 0)).toBe(7);
    while (attempt().length > 0) for (const exchange of attempt()) exchange.upstreamCompletes(200);
    expect(all.every(({ status }) => status === 200)).toBe(true);
  });

  test("A-65: many at once that find a program gone leave it out once", () => {
    const { clock, enter, pods } = setUp(1, 0);
    const all = Array.from({ length: 50 }, () => enter());
    for (const exchange of all) exchange.upstreamStarts(502, MARKED);
    expect(pods.capacity).toBe(0);
    clock.advance(50);
    expect(all.every(({ forwards }) => forwards.length === 2)).toBe(true);
  });

  test("A-104: of a pod whose queue is full it is a repetition in the budget; beyond it the answer goes through", () => {
    const { clock, enter } = setUp(1, 0);
    const all = Array.from({ length: 300 }, () => enter());
    for (let round = 0; round < 30; round++) {
      for (const exchange of all) if (exchange.state === "forwarding") exchange.upstreamStarts(503, MARKED);
      clock.advance(2_000);
    }
    const forwards = all.reduce((sum, each) => sum + each.forwards.length, 0);
    expect(forwards).toBeLessThanOrEqual(300 + 100 + 300 / 5);
    expect(all.every(({ status }) => status === 503)).toBe(true);
  });
});

test("A-67: a newcomer is not given a slot while anybody waits, not even a free one", () => {
  const { entry, pods } = setUp(0);
  const { throttle } = entry;
  const item: RecordingExchange<ActivatorContext> = new RecordingExchange(new ActivatorContext());
  expect(throttle.hold(item)).toBeDefined();
  pods.setUsable([endpoint({ ip: "10.0.0.1", port: 8012 })]);
  expect(throttle.reserve()).toBeUndefined();
  expect(throttle.next()?.item).toBe(item);
});

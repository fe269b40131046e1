import { endpoint, endpointAddress } from "@rouse/shared";
import { RecordingExchange, VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { ActivatorContext } from "../accept/context.ts";
import { PodTracker } from "../balance/pod-tracker.ts";
import { FixedSlots } from "../balance/slots.ts";
import { TimeColdStart } from "./time-cold-start.ts";

const pod = endpoint({ ip: "10.0.0.1", port: 8012 });

function setUp() {
  const clock = new VirtualClock();
  const told: (readonly number[])[] = [];
  const layer = new TimeColdStart({
    clock,
    coldStarts: () => undefined,
    coldStarted: (tookMs) => void told.push(tookMs),
  });
  const context = new ActivatorContext();
  context.wasHeld = true;
  const exchange = new RecordingExchange(context, { receivedAt: clock.now() });
  /** As the throttle does with each attempt. */
  const send = (): void => {
    context.tracker = new PodTracker(pod, { ...endpointAddress(pod), close: () => {} }, new FixedSlots(1));
    context.sentAt = clock.now();
    layer.handle(exchange, () => {});
  };
  return { clock, told, exchange, send };
}

test("the answer's first byte is a phase of its own, and a wait for another attempt part of the release", () => {
  const { clock, told, exchange, send } = setUp();
  clock.advance(50);
  send();
  clock.advance(10); // it failed, and goes out again
  send();
  exchange.forward(endpointAddress(pod));
  clock.advance(7);
  exchange.upstreamStarts(200);
  expect(told).toEqual([[0, 0, 0, 0, 0, 60, 7]]);
  expect(exchange.context.waitedMs).toEqual([0, 0, 0, 0, 0, 60, 7]);
  exchange.upstreamCompletes();
  expect(told.length).toBe(1);
});

test("an answer of our own to a request that never went anywhere has no phases", () => {
  const { told, exchange } = setUp();
  exchange.respond({ status: 504 });
  expect([told, exchange.responseHeaders]).toEqual([[], []]);
});

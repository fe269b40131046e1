import { decodeStat, type Stat } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { StatPublisher } from "./stat-publisher.ts";

const stat: Stat = {
  podName: "pod-1",
  averageConcurrentRequests: 1,
  averageProxiedConcurrentRequests: 0.5,
  requestCount: 2,
  proxiedRequestCount: 1,
  processUptime: 12.5,
  timestamp: 0,
};

function setUp() {
  const clock = new VirtualClock();
  let taken = 0;
  const publisher = new StatPublisher(clock, {
    podName: "pod-1",
    take: () => {
      taken++;
      return stat;
    },
  });
  return { clock, publisher, taken: () => taken };
}

test("V-3, Q-127, Q-129, Q-130: the pod's name alone before the first report, all fields of it afterwards", async () => {
  const { clock, publisher } = setUp();
  expect(Buffer.from(publisher.bytes).toString("hex")).toBe("0a05706f642d31");
  await clock.advanceAsync(1_000);
  expect(Buffer.from(publisher.bytes).toString("hex")).toBe(
    "0a05706f642d3111000000000000f03f19000000000000e03f21000000000000004029000000000000f03f310000000000002940",
  );
  expect(decodeStat(publisher.bytes)).toEqual(stat);
});

test("Q-125, Q-127: one report a second, however many ask, and none after the end", async () => {
  const { clock, publisher, taken } = setUp();
  const first = publisher.bytes;
  expect(publisher.bytes).toBe(first);
  await clock.advanceAsync(10_000);
  expect(taken()).toBe(10);
  publisher[Symbol.dispose]();
  expect(clock.pendingTimers).toBe(0);
});

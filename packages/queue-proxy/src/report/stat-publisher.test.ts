import { decodeStat, encodeStat, type Stat } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { RequestStats } from "./request-stats.ts";
import { StatPublisher } from "./stat-publisher.ts";
import { statOf } from "./stat-report.ts";

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

/** A process that is not run for a while: every other timer fires this late. */
class StallingClock extends VirtualClock {
  #timers = 0;

  override after(delayMs: number, fire: () => void): Disposable {
    return super.after(delayMs + (this.#timers++ % 2 === 0 ? 900 : 0), fire);
  }
}

test("Q-125, Q-126: a tick that comes 900 ms late loses no request, as the next one is sooner for it", async () => {
  const clock = new StallingClock();
  const stats = new RequestStats(clock.now());
  const publisher = new StatPublisher(clock, {
    podName: "p",
    take: (period) => statOf(stats.report(clock.now()), { podName: "p", uptimeMs: 0, ...period }),
  });
  let [arrived, reported] = [0, 0];
  let last = publisher.bytes;
  for (let step = 0; step < 2_000; step++) {
    stats.arrived(clock.now(), false);
    stats.departed(clock.now(), false);
    arrived++;
    await clock.advanceAsync(10);
    if (publisher.bytes !== last) reported += decodeStat(publisher.bytes)?.requestCount ?? 0;
    last = publisher.bytes;
  }
  publisher[Symbol.dispose]();
  expect(arrived - reported).toBeLessThan(200); // of the period that is not over
});

test("Q-130: a report of a pod with the longest name there is fits what the scraper reads", () => {
  const podName = "p".repeat(253);
  expect(encodeStat({ ...stat, podName, timestamp: 1_800_000_000 }).length).toBeLessThanOrEqual(336);
});

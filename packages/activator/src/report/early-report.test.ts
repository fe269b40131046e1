import { revisionKey, type StatMessage } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { ConcurrencyReport } from "./concurrency-report.ts";
import { EarlyReport } from "./early-report.ts";

const key = revisionKey({ namespace: "default", name: "hello-1" });

function setUp() {
  const clock = new VirtualClock();
  const report = new ConcurrencyReport("activator");
  const sent: StatMessage[][] = [];
  const early = new EarlyReport({ clock, report, stats: { send: (batch) => sent.push([...batch]) } });
  const entry = { target: { key }, throttle: { held: 0 } };
  const hold = (count: number): void => {
    for (let i = 0; i < count; i++) {
      report.started(key, clock.now());
      entry.throttle.held++;
      early.heldGrew(entry);
    }
  };
  return { clock, sent, early, entry, hold };
}

test("a burst is one report, a tenth of a second after it began", () => {
  const { clock, sent, hold } = setUp();
  hold(100);
  clock.advance(99);
  expect(sent).toEqual([]);
  clock.advance(1);
  expect(sent.map((batch) => batch.map(({ stat }) => stat.averageConcurrentRequests))).toEqual([[99]]);
  hold(50);
  expect(clock.pendingTimers).toBe(0);
  hold(50);
  clock.advance(100);
  expect(sent.length).toBe(2);
});

test("one that is over by then is not told, nor is a single request", () => {
  const { clock, sent, entry, hold } = setUp();
  hold(1);
  expect(clock.pendingTimers).toBe(0);
  hold(99);
  entry.throttle.held = 0;
  clock.advance(1_000);
  expect(sent).toEqual([]);
});

test("a queue that is emptying by then is looked at again, and told only if it stops", () => {
  const { clock, sent, entry, hold } = setUp();
  hold(100);
  entry.throttle.held = 16; // of a hundred short ones
  clock.advance(100);
  entry.throttle.held = 0;
  clock.advance(1_000);
  expect([sent, clock.pendingTimers]).toEqual([[], 0]);
  hold(100);
  entry.throttle.held = 60;
  clock.advance(100);
  expect(sent).toEqual([]);
  clock.advance(100); // nothing has moved
  expect(sent.map((batch) => batch.map(({ stat }) => stat.averageConcurrentRequests))).toEqual([[59]]);
  expect(clock.pendingTimers).toBe(0);
});

test("one that empties slowly is told", () => {
  const { clock, sent, entry, hold } = setUp();
  hold(100);
  entry.throttle.held = 92;
  clock.advance(100);
  expect(sent.length).toBe(1);
});

test("closed, it leaves no timer", () => {
  const { clock, early, hold } = setUp();
  hold(10);
  early[Symbol.dispose]();
  expect(clock.pendingTimers).toBe(0);
});

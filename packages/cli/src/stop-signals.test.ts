import { EventEmitter } from "node:events";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { stopSignals } from "./stop-signals.ts";

class FakeProcess extends EventEmitter {
  readonly stdout = new EventEmitter();
}

function setUp() {
  const process = new FakeProcess();
  const clock = new VirtualClock();
  const forced: true[] = [];
  const stop = stopSignals(process, clock, () => forced.push(true));
  return { process, clock, forced, stop };
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"])("%s asks it to end", (signal) => {
  const { process, stop } = setUp();
  expect(stop.aborted).toBe(false);
  process.emit(signal);
  expect(stop.aborted).toBe(true);
});

test("output that nobody reads asks it to end", () => {
  const { process, stop } = setUp();
  process.stdout.emit("error", new Error("EPIPE"));
  expect(stop.aborted).toBe(true);
});

test("the same Ctrl-C by way of terminal and wrapper is one, a later one forces the end", () => {
  const { process, clock, forced } = setUp();
  process.emit("SIGINT");
  process.emit("SIGINT");
  expect(forced).toEqual([]);
  clock.advance(1_000);
  process.emit("SIGINT");
  expect(forced).toEqual([true]);
});

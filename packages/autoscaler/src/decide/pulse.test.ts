import { type RevisionKey, revisionKey } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { Pulse } from "./pulse.ts";

const a = revisionKey({ namespace: "n", name: "a" });
const b = revisionKey({ namespace: "n", name: "b" });

function setup(beat: (revision: RevisionKey, beat: number) => "awake" | "asleep" = () => "awake") {
  const clock = new VirtualClock();
  const beats: { revision: RevisionKey; atMs: number }[] = [];
  const pulse = new Pulse(clock, (revision, number) => {
    beats.push({ revision, atMs: clock.now() });
    return beat(revision, number);
  });
  return { clock, pulse, beats };
}

test("one timer beats for all, in the middle of every second", () => {
  const { clock, pulse, beats } = setup();
  clock.advance(730);
  pulse.wake(a);
  pulse.wake(b);
  expect(clock.pendingTimers).toBe(1);
  clock.advance(2_000);
  expect(beats).toEqual([
    { revision: a, atMs: 1_500 },
    { revision: b, atMs: 1_500 },
    { revision: a, atMs: 2_500 },
    { revision: b, atMs: 2_500 },
  ]);
  pulse[Symbol.dispose]();
  expect(clock.pendingTimers).toBe(0);
  pulse.wake(a);
  expect(clock.pendingTimers).toBe(0);
});

test("without anything awake there is no timer", () => {
  const { clock, pulse, beats } = setup((revision) => (revision === a ? "asleep" : "awake"));
  pulse.wake(a);
  clock.advance(1_000);
  expect(clock.pendingTimers).toBe(0);
  pulse.wake(b);
  clock.advance(3_000);
  pulse.forget(b);
  clock.advance(1_000);
  expect(clock.pendingTimers).toBe(0);
  expect(beats.map(({ revision }) => revision)).toEqual([a, b, b, b]);
});

test("being woken during its own last beat is not lost", () => {
  const clock = new VirtualClock();
  let beats = 0;
  const pulse = new Pulse(clock, () => {
    if (++beats === 1) pulse.wake(a);
    return "asleep";
  });
  pulse.wake(a);
  clock.advance(3_000);
  expect(beats).toBe(2);
  expect(clock.pendingTimers).toBe(0);
});

import { type MonoMs, SeededRandom } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { serverTiming, waitOf } from "./cold-start.ts";

const at = (ms: number): MonoMs => ms as MonoMs;

describe("what a request waited for", () => {
  test.each([
    {
      why: "a whole start",
      pod: { created: 101, seen: 103, spawned: 106, portOpen: 150, ready: 151 },
      want: [1, 2, 3, 44, 1, 2],
    },
    {
      why: "a start under way when it came",
      pod: { created: 80, seen: 90, spawned: 99, portOpen: 150, ready: 151 },
      want: [0, 0, 0, 50, 1, 2],
    },
    { why: "a pod that was there", pod: { created: 1, ready: 5 }, want: [0, 0, 0, 0, 0, 53] },
    { why: "nothing known", pod: undefined, want: [0, 0, 0, 0, 0, 53] },
    { why: "a step not known", pod: { created: 101, ready: 151 }, want: [1, 0, 0, 0, 50, 2] },
    { why: "said ready before it was sent, stamped after", pod: { ready: 200 }, want: [0, 0, 0, 0, 53, 0] },
  ])("$why", ({ pod, want }) => {
    const stamped = pod && Object.fromEntries(Object.entries(pod).map(([name, ms]) => [name, at(ms)]));
    expect(waitOf({ receivedAt: at(100), sentAt: at(153), pod: stamped })).toEqual(want);
  });

  test("phases sum to the wait, whatever the stamps are; as text within a millisecond", () => {
    const random = new SeededRandom(4);
    const some = () => (random.chance(0.7) ? { at: at(random.next() * 200) } : undefined);
    for (let round = 0; round < 500; round++) {
      const stamps = ["created", "seen", "spawned", "portOpen", "ready"].map((name) => [name, some()?.at]);
      const pod = Object.fromEntries(stamps.filter(([, stamp]) => stamp !== undefined));
      const receivedAt = at(random.next() * 100);
      const sentAt = at(receivedAt + random.next() * 100);
      const phases = waitOf({ receivedAt, sentAt, pod });
      expect(phases.reduce((sum, each) => sum + each, 0)).toBeCloseTo(sentAt - receivedAt, 6);
      expect(Math.min(...phases)).toBeGreaterThanOrEqual(0);
      const durations = [...serverTiming(phases).matchAll(/dur=([\d.]+)/g)].map(([, ms]) => Number(ms));
      const total = durations.at(-1) ?? 0;
      const sum = durations.slice(0, -1).reduce((all, each) => all + each, 0);
      expect(Math.abs(sum - total)).toBeLessThan(1);
    }
  });
});

test("as the header field of an answer", () => {
  expect(serverTiming([1, 2, 3, 44, 1, 2.04, 5])).toBe(
    "decide;dur=1.0, schedule;dur=2.0, spawn;dur=3.0, listen;dur=44.0, ready;dur=1.0, release;dur=2.0, respond;dur=5.0, total;dur=58.0",
  );
});

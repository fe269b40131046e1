import { type MonoMs, revisionKey, type StatMessage } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { ConcurrencyReport } from "./concurrency-report.ts";

const key = revisionKey({ namespace: "test", name: "rev1" });
type Step = readonly ["start" | "end" | "tick", seconds: number];

/** Messages as (concurrency, count), pokes included. */
function play(steps: readonly Step[]): (readonly [number, number])[] {
  const report = new ConcurrencyReport("act");
  return steps.flatMap(([step, seconds]) => {
    const now = (seconds * 1_000) as MonoMs;
    if (step === "end") report.ended(key, now);
    const poke = step === "start" ? report.started(key, now) : undefined;
    const messages = step === "tick" ? report.cut(now) : poke === undefined ? [] : [poke];
    return messages.map(({ stat }) => [stat.averageConcurrentRequests, stat.requestCount] as const);
  });
}

describe("A-85..A-88", () => {
  test.each<{ name: string; steps: readonly Step[]; want: readonly (readonly [number, number])[] }>([
    { name: "one start", steps: [["start", 0]], want: [[1, 1]] },
    {
      name: "one after the other",
      steps: [
        ["start", 0],
        ["end", 1],
        ["start", 1],
        ["end", 2],
        ["tick", 2],
      ],
      want: [
        [1, 1],
        [0, 1],
      ],
    },
    {
      name: "two that go on",
      steps: [
        ["start", 0],
        ["start", 0],
        ["tick", 1],
        ["tick", 2],
      ],
      want: [
        [1, 1],
        [1, 1],
        [2, 0],
      ],
    },
    {
      name: "idle for a period, then forgotten, then a new poke",
      steps: [
        ["start", 0],
        ["end", 1],
        ["tick", 1],
        ["tick", 2],
        ["start", 3],
      ],
      want: [
        [1, 1],
        [0, 0],
        [0, 0],
        [1, 1],
      ],
    },
    {
      name: "two with different ends",
      steps: [
        ["start", 0],
        ["start", 0],
        ["end", 1],
        ["end", 2],
        ["tick", 2],
      ],
      want: [
        [1, 1],
        [0.5, 1],
      ],
    },
    {
      name: "three of no length",
      steps: [
        ["start", 0],
        ["end", 0],
        ["start", 0],
        ["end", 0],
        ["start", 0],
        ["end", 0],
        ["tick", 0],
      ],
      want: [
        [1, 1],
        [0, 2],
      ],
    },
    { name: "nothing", steps: [["tick", 1]], want: [] },
  ])("$name", ({ steps, want }) => {
    expect(play(steps)).toEqual(want);
  });

  test("a record with a request on it is never forgotten", () => {
    const steps: Step[] = [
      ["start", 0],
      ["tick", 0],
      ["tick", 1],
      ["start", 1],
    ];
    expect(play(steps)).toEqual([
      [1, 1],
      [0, 0],
      [1, 0],
    ]);
  });

  test("a step of time backwards is ignored", () => {
    const steps: Step[] = [
      ["start", 5],
      ["end", 4],
      ["tick", 6],
    ];
    expect(play(steps)).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });
});

describe("a jump of those held", () => {
  const at = (ms: number): MonoMs => ms as MonoMs;
  const key = revisionKey({ namespace: "default", name: "jump" });
  const told = (message: StatMessage | undefined) =>
    message && [message.stat.averageConcurrentRequests, message.stat.requestCount];

  test("is told when it doubles what was told last, and taken back at the end of the period", () => {
    const report = new ConcurrencyReport("activator");
    for (let request = 0; request < 10; request++) report.started(key, at(0));
    expect(report.isEarly(key, 1)).toBe(false);
    expect(told(report.early(key, 10))).toEqual([9, 9]); // the poke was the tenth
    for (let request = 0; request < 9; request++) report.started(key, at(0));
    expect(report.early(key, 19)).toBeUndefined();
    report.started(key, at(0));
    expect(told(report.early(key, 20))).toEqual([10, 10]);
    expect(report.cut(at(1_000)).map(told)).toEqual([[0, 0]]);
    expect(report.cut(at(2_000)).map(told)).toEqual([[20, 0]]);
  });

  test("of a revision without requests is none", () => {
    expect(new ConcurrencyReport("activator").early(key, 10)).toBeUndefined();
  });
});

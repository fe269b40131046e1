import { type MonoMs, revisionKey } from "@rouse/shared";
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

import { parseRfc3339, type WallMs } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { parseSchedule, scheduledAt } from "./schedule.ts";
import { scheduledBounds } from "./schedules.ts";

const at = (text: string): WallMs => parseRfc3339(text) ?? (Number.NaN as WallMs);
function asked(schedule: string, time: string) {
  const parsed = parseSchedule(schedule);
  if (parsed.kind === "invalid") throw new Error(parsed.problem);
  return scheduledAt(parsed.windows, at(time));
}
const HOUR = 3_600_000;

describe("a schedule", () => {
  const office = "0 8 * * 1-5 for 10h min=2 tz=Europe/Berlin";

  test.each([
    { time: "2026-01-05T06:59:59Z", floor: 0, nextMs: 1_000 },
    { time: "2026-01-05T07:00:00Z", floor: 2, nextMs: 10 * HOUR },
    { time: "2026-01-05T16:59:59Z", floor: 2, nextMs: 1_000 },
    { time: "2026-01-05T17:00:00Z", floor: 0, nextMs: 14 * HOUR },
    { time: "2026-01-03T10:00:00Z", floor: 0, nextMs: 45 * HOUR }, // a Saturday
    { time: "2026-07-06T06:00:00Z", floor: 2, nextMs: 10 * HOUR }, // summer time
  ])("at $time the floor is $floor, for $nextMs ms", ({ time, floor, nextMs }) => {
    expect(asked(office, time)).toEqual({ floor, ceiling: undefined, nextChangeMs: nextMs });
  });

  test("of windows that overlap the largest floor and the smallest ceiling count", () => {
    const both = `${office}; 0 9 * * * for 1h min=5 max=9 tz=Europe/Berlin; 0 0 * * * for 24h max=20;`;
    expect(asked(both, "2026-01-05T08:30:00Z")).toEqual({ floor: 5, ceiling: 9, nextChangeMs: HOUR / 2 });
  });

  test("a window that opens again before it has closed stays open", () => {
    expect(asked("*/5 * * * * for 10m min=1", "2026-01-05T08:33:00Z")).toMatchObject({
      floor: 1,
      nextChangeMs: 120_000,
    });
  });

  test("in the spring gap a window opens an hour later, in autumn once", () => {
    const night = "30 2 * * * for 1h min=3 tz=Europe/Berlin";
    expect(asked(night, "2026-03-29T00:45:00Z").floor).toBe(0);
    expect(asked(night, "2026-03-29T01:45:00Z").floor).toBe(3);
    expect(asked(night, "2026-10-25T00:45:00Z").floor).toBe(3);
  });

  test.each([
    ["0 8 * * 1-5 min=2", "expected"],
    ["0 8 * * 1-5 for 10h", "neither"],
    ["0 8 * * 1-5 for 10s min=1", "duration"],
    ["0 8 * * 1-5 for 8d min=1", "duration"],
    ["0 8 * * for 1h min=1", ""],
    ["61 8 * * * for 1h min=1", ""],
    ["0 8 * * * for 1h min=-1", "whole"],
    ["0 8 * * * for 1h min=3 max=2", "below"],
    ["0 8 * * * for 1h min=1 tz=Mars/Olympus", ""],
    ["0 8 * * * for 1h min=1 color=red", "unexpected"],
    [";", "expected"],
    ["x".repeat(5_000), "longer"],
  ])("%s is refused", (text, problem) => {
    const parsed = parseSchedule(text);
    expect(parsed.kind).toBe("invalid");
    expect(parsed.kind === "invalid" && parsed.problem).toContain(problem);
  });
});

test.each([
  { min: 0, max: 0, floor: 2, ceiling: undefined, want: { min: 2, max: 0 } },
  { min: 3, max: 0, floor: 2, ceiling: undefined, want: { min: 3, max: 0 } },
  { min: 0, max: 4, floor: 9, ceiling: undefined, want: { min: 4, max: 4 } },
  { min: 5, max: 10, floor: 0, ceiling: 1, want: { min: 1, max: 10 } },
  { min: 0, max: 10, floor: 0, ceiling: 0, want: { min: 0, max: 10 } },
])("bounds $min..$max with floor $floor and ceiling $ceiling", ({ min, max, floor, ceiling, want }) => {
  expect(scheduledBounds({ min, max }, { floor, ceiling, nextChangeMs: undefined })).toEqual(want);
});

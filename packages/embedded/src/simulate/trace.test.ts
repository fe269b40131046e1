import { SeededRandom } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { parseTrace } from "./trace.ts";

const arrivalsOf = (text: string): readonly number[] => {
  const random = new SeededRandom(1);
  return [...parseTrace(text).arrivals(() => random.next())];
};

test("arrivals are taken as they are, counted from the first", () => {
  expect(arrivalsOf("time\n100.5\n101\n103\n")).toEqual([0, 500, 2_500]);
  expect(arrivalsOf("2026-01-01T00:00:00Z\n2026-01-01T00:00:02Z")).toEqual([0, 2_000]);
});

test("counts are spread over the time until the next line, in order", () => {
  const text = "# a comment\ntime,count\n0,3\n10,0\n20,2\n";
  const trace = parseTrace(text);
  expect([trace.count, trace.durationMs]).toEqual([5, 30_000]);
  const found = arrivalsOf(text);
  expect(found).toHaveLength(5);
  expect(found).toEqual([...found].sort((a, b) => a - b));
  expect(found.slice(0, 3).every((at) => at >= 0 && at < 10_000)).toBe(true);
  expect(found.slice(3).every((at) => at >= 20_000 && at < 30_000)).toBe(true);
});

describe("what is wrong is told with its line", () => {
  test.each([
    { text: "", want: "the trace is empty" },
    { text: "time,count\n", want: "the trace has no requests" },
    { text: "0,1\n60,many", want: 'line 2: "many" is no count of requests' },
    { text: "0,1\n60,1,1", want: "line 2: expected time,count or time: 60,1,1" },
    { text: "60\n0", want: "line 2: earlier than the line before" },
    { text: "0,1\n0,1\n1,1", want: "line 1: the time of the next line is the same" },
  ])("$want", ({ text, want }) => {
    expect(() => parseTrace(text)).toThrow(want);
  });
});

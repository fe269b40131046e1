import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";

describe("Go durations (S-4)", () => {
  test.each([
    { text: "0", ms: 0, canonical: "0s" },
    { text: "0s", ms: 0, canonical: "0s" },
    { text: "90s", ms: 90_000, canonical: "1m30s" },
    { text: "1m30s", ms: 90_000, canonical: "1m30s" },
    { text: "1h", ms: 3_600_000, canonical: "1h0m0s" },
    { text: "365h", ms: 365 * 3_600_000, canonical: "365h0m0s" },
    { text: "1.5s", ms: 1_500, canonical: "1.5s" },
    { text: ".5s", ms: 500, canonical: "500ms" },
    { text: "1.s", ms: 1_000, canonical: "1s" },
    { text: "1m9s82ms", ms: 69_082, canonical: "1m9.082s" },
    { text: "1500us", ms: 1.5, canonical: "1.5ms" },
    { text: "500µs", ms: 0.5, canonical: "500µs" },
    { text: "20ns", ms: 20e-6, canonical: "20ns" },
    { text: "-1m", ms: -60_000, canonical: "-1m0s" },
    { text: "+2s", ms: 2_000, canonical: "2s" },
  ])("$text is $ms ms, and shown as $canonical", ({ text, ms, canonical }) => {
    expect(parseDuration(text)).toBeCloseTo(ms, 9);
    expect(formatDuration(ms)).toBe(canonical);
  });

  test.each(["", "-", "+", "5", "s", ".s", "1x", "1m 30s", " 1s", "1s ", "1..5s", "1e3s", "--1s", "١s"])(
    "%j is none",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  test("what is shown is read as the same", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBeCloseTo(ms, 6);
      }),
    );
  });
});

import { expect, test } from "vitest";
import { finalLine, sum, testsLine, testsTally } from "./tally.ts";

test.each([
  { tally: { passed: 7, failed: 0, skipped: 0 }, line: "7 passed, 0 failed" },
  { tally: { passed: 7, failed: 2, skipped: 1 }, line: "7 passed, 2 failed, 1 skipped" },
])("the last line reads $line", ({ tally, line }) => {
  expect(finalLine(tally)).toBe(line);
});

test("what the reporter says is what the check counts", () => {
  const tally = { passed: 12, failed: 1, skipped: 3 };
  expect(testsTally(`noise\n${testsLine(tally)}\nmore noise\n`, 1)).toEqual(tally);
});

test("a run that breaks off without a count is a failure, whatever its exit code", () => {
  expect(testsTally("Segmentation fault", 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("an exit with a failure that no test owns is counted as one", () => {
  const said = testsLine({ passed: 5, failed: 0, skipped: 0 });
  expect(testsTally(said, 1)).toEqual({ passed: 5, failed: 1, skipped: 0 });
});

test("tallies add up", () => {
  expect(
    sum([
      { passed: 1, failed: 0, skipped: 2 },
      { passed: 3, failed: 1, skipped: 0 },
    ]),
  ).toEqual({ passed: 4, failed: 1, skipped: 2 });
});

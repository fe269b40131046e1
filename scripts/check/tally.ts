/** How many checks went which way. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const TESTS_LINE = /^tests: passed=(\d+) failed=(\d+) skipped=(\d+)$/;

export function sum(tallies: readonly Tally[]): Tally {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const tally of tallies) {
    total.passed += tally.passed;
    total.failed += tally.failed;
    total.skipped += tally.skipped;
  }
  return total;
}

/** The last line of the test command. Nothing else in its output has this form. */
export function finalLine(tally: Tally): string {
  const skipped = tally.skipped === 0 ? "" : `, ${tally.skipped} skipped`;
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`;
}

/** How the plain reporter tells the check what the tests did. */
export function testsLine(tally: Tally): string {
  return `tests: passed=${tally.passed} failed=${tally.failed} skipped=${tally.skipped}`;
}

export function isTestsLine(line: string): boolean {
  return TESTS_LINE.test(line);
}

/**
 * What a run of the tests counts as, from all it printed and how it exited. A run that breaks off without a count, or
 * exits with a failure that no test owns (an error outside any test), counts as one failure more.
 */
export function testsTally(output: string, exitCode: number): Tally {
  const line = output.split("\n").findLast((text) => TESTS_LINE.test(text));
  const [, passed = "0", failed = "0", skipped = "0"] = TESTS_LINE.exec(line ?? "") ?? [];
  const tally = { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) };
  const isUnowned = tally.failed === 0 && (exitCode !== 0 || line === undefined);
  return isUnowned ? { ...tally, failed: 1 } : tally;
}

import type { Reporter, TestModule } from "vitest/node";
import { testsLine } from "./check/tally.ts";

/** Counts the tests of a run and prints the count as the run's last line, for `check.ts` to read. */
export default class PlainReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tally = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      // A file that fails outside its tests (at import, in a hook) has no failed test to stand for it.
      if (module.errors().length > 0) tally.failed++;
      for (const { result } of testsOf(module)) tally[result]++;
    }
    process.stdout.write(`${testsLine(tally)}\n`);
  }
}

function* testsOf(module: TestModule): Generator<{ readonly result: "passed" | "failed" | "skipped" }> {
  for (const testCase of module.children.allTests()) {
    const { state } = testCase.result();
    // What never came to a result, in a run that broke off, did not pass.
    yield { result: state === "pending" ? "failed" : state };
  }
}

/**
 * Everything that has to hold before a change goes in. Runs every step whatever the ones before it said, and ends with
 * one line `N passed, N failed[, N skipped]`: each test and each other step counts as one. Exit code 1 if any failed.
 */
import { resolve } from "node:path";
import { runStep, type StepResult, steps, tests } from "./check/steps.ts";
import { finalLine, sum, type Tally, testsTally } from "./check/tally.ts";

const root = resolve(import.meta.dirname, "..");
const tallies: Tally[] = [];

for (const step of steps) {
  const result = await runStep(step, root);
  const isOk = result.exitCode === 0;
  say(isOk ? "ok" : "FAILED", step.name, result);
  if (!isOk) process.stdout.write(`${result.output}\n`);
  tallies.push({ passed: isOk ? 1 : 0, failed: isOk ? 0 : 1, skipped: 0 });
}

const result = await runStep(tests, root);
say(result.exitCode === 0 ? "ok" : "FAILED", tests.name, result);
tallies.push(testsTally(result.output, result.exitCode));

const total = sum(tallies);
process.stdout.write(`${finalLine(total)}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;

function say(verdict: string, name: string, { tookMs }: StepResult): void {
  process.stdout.write(`${verdict.padEnd(7)}${name.padEnd(18)}${(tookMs / 1000).toFixed(1).padStart(6)} s\n`);
}

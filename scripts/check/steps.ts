import { spawn } from "node:child_process";
import { isTestsLine } from "./tally.ts";

/** One thing the check runs. */
export interface Step {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** Shown while it runs, or only if it fails. */
  readonly output: "always" | "on-failure";
  readonly limitMs: number;
}

export interface StepResult {
  /** 0 = well. A step ended by its limit or a signal has 1. */
  readonly exitCode: number;
  readonly output: string;
  readonly tookMs: number;
}

const MINUTE_MS = 60_000;
const quiet = { output: "on-failure", limitMs: 3 * MINUTE_MS } as const;

/** Everything that has to hold, cheapest first. Programs are found on PATH, where the package manager puts them. */
export const steps: readonly Step[] = [
  { ...quiet, name: "format and lint", command: ["biome", "check", "--error-on-warnings", "."] },
  { ...quiet, name: "promises", command: ["oxlint", "--type-aware", "packages", "bench", "scripts"] },
  { ...quiet, name: "types", command: ["tsc", "-b"] },
  { ...quiet, name: "unused code", command: ["knip", "--no-progress", "--no-config-hints"] },
  { ...quiet, name: "bundles", command: ["node", "scripts/build.ts"] },
];

export const tests: Step = {
  name: "tests",
  command: ["vitest", "run", "--reporter=default", "--reporter=./scripts/plain-reporter.ts"],
  output: "always",
  limitMs: 5 * MINUTE_MS,
};

/** Runs one step to its end or its limit, in `root`, with nothing on its input. Never rejects. */
export function runStep(step: Step, root: string): Promise<StepResult> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const [program, ...args] = step.command;
    const child = spawn(program, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }) },
      timeout: step.limitMs,
      killSignal: "SIGKILL",
    });
    let output = "";
    const take = (chunk: string): void => {
      output += chunk;
      if (step.output === "always") process.stdout.write(withoutTestsLine(chunk));
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.once("error", (error) => take(`${error.message}\n`));
    child.once("close", (code) => {
      if (code === null) take(`ended after ${step.limitMs / MINUTE_MS} min, the limit of this step\n`);
      resolve({ exitCode: code ?? 1, output, tookMs: performance.now() - startedAt });
    });
  });
}

/** The count is for the check, which says it once, in its own last line. */
function withoutTestsLine(chunk: string): string {
  return chunk
    .split("\n")
    .filter((line) => !isTestsLine(line))
    .join("\n");
}

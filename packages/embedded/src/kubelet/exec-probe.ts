import type { AttemptOptions, AttemptResult } from "@rouse/shared";
import type { ProcessRunner } from "./process-runner.ts";
import type { Program } from "./program.ts";

/** Of what a probe says, this much is told with its failure. */
const OUTPUT_CHARACTERS_MAX = 256;

/** Runs `command` once where `program` runs, with its environment: ready when it ends with 0 in time. Never rejects. */
export function attemptExec(
  runner: ProcessRunner,
  program: Program,
  command: readonly string[],
  { clock, timeoutMs, signal }: AttemptOptions,
): Promise<AttemptResult> {
  return new Promise((resolve) => {
    const [file = "", ...args] = command;
    let output = "";
    const end = (result: AttemptResult): void => {
      timer[Symbol.dispose]();
      signal?.removeEventListener("abort", giveUp);
      resolve(result);
    };
    const running = runner.run(
      { ...program, file, args },
      {
        started: () => {},
        output: (_, chunk) => {
          if (output.length < OUTPUT_CHARACTERS_MAX) output += chunk.toString("utf8");
        },
        failed: ({ message }) => end({ kind: "not-ready", because: message }),
        exited: ({ exitCode }) => {
          const said = output.trim().slice(0, OUTPUT_CHARACTERS_MAX);
          const because = `${file} ended with ${exitCode}${said === "" ? "" : `: ${said}`}`;
          end(exitCode === 0 ? { kind: "ready" } : { kind: "not-ready", because });
        },
      },
    );
    const kill = (because: string): void => {
      running.signal("SIGKILL");
      end({ kind: "not-ready", because });
    };
    const giveUp = (): void => kill("aborted");
    const timer = clock.after(timeoutMs, () => kill(`${file} took longer than ${timeoutMs / 1_000} s`));
    signal?.addEventListener("abort", giveUp);
    if (signal?.aborted === true) giveUp();
  });
}

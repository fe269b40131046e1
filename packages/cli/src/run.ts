import { KubeError } from "@rouse/shared";
import { CommanderError } from "commander";
import { exitCodes, Failure } from "./failure.ts";
import { type ProgramDeps, program } from "./program.ts";

/** Runs one command line to its end. Returns the exit code; what went wrong has been written to `err`. */
export async function run(args: readonly string[], deps: ProgramDeps): Promise<number> {
  try {
    await program(deps).parseAsync(args, { from: "user" });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has written its message or the help already; help and version asked for are no mistakes.
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    }
    if (error instanceof Failure) {
      deps.output.err(`rouse: ${error.message}`);
      return error.exitCode;
    }
    if (error instanceof KubeError) {
      deps.output.err(`rouse: ${error.message}`);
      return exitCodes.failed;
    }
    throw error;
  }
}

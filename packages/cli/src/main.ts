import { startHome } from "@rouse/embedded";
import { RealClock, RealRandom } from "@rouse/shared";
import pc from "picocolors";
import { readConfig } from "./config.ts";
import { processOutput } from "./output.ts";
import { run } from "./run.ts";
import { stopSignals } from "./stop-signals.ts";
import { TextLogger } from "./text-logger.ts";
import { VERSION } from "./version.ts";

/** As a shell reports a program that SIGINT ended. */
const FORCED_EXIT_CODE = 130;

/** A mistake of ours, told in a few lines that name the source; by itself Node would print a line of the bundle. */
function crash(error: unknown): never {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`rouse: this should not have happened, please report it:\n${text}\n`);
  process.exit(1);
}

async function main(): Promise<never> {
  process.setSourceMapsEnabled(true);
  process.on("uncaughtException", crash);
  const clock = new RealClock();
  const output = processOutput(process);
  const exitCode = await run(process.argv.slice(2), {
    clock,
    random: new RealRandom(),
    log: new TextLogger(output.err, readConfig()),
    output,
    colors: pc.createColors(pc.isColorSupported && process.stdout.isTTY),
    startHome,
    stop: () => stopSignals(process, clock, () => process.exit(FORCED_EXIT_CODE)),
    cwd: process.cwd(),
    version: VERSION,
  });
  process.exit(exitCode);
}

void main();

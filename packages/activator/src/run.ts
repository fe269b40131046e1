import { readFileSync } from "node:fs";
import { findServer, HttpKubeClient, RealClock, RealRandom } from "@rouse/shared";
import { type Environment, parseConfig } from "./config.ts";
import { JsonLogger } from "./log/json-logger.ts";
import { Program } from "./program.ts";

export interface RunOptions {
  readonly environment: Environment;
  readonly write: (line: string) => void;
  readonly exit: (code: number) => void;
  /** Calls `end` at each signal to end. */
  readonly onSignal: (end: () => void) => void;
}

/** Starts the activator against the API its environment names, and ends it at a signal; at a second one, at once. */
export async function run({ environment, write, exit, onSignal }: RunOptions): Promise<void> {
  const clock = new RealClock();
  const log = new JsonLogger({ clock, write, podName: environment.POD_NAME ?? "", level: "info" });
  const parsed = parseConfig(environment, readIfThere("/etc/resolv.conf"));
  if (parsed.kind === "problems") {
    for (const { variable, problem } of parsed.problems) log.error(`${variable} ${problem}`);
    exit(1);
    return;
  }
  try {
    const { config } = parsed;
    const random = new RealRandom();
    const server = findServer({ clock }, environment);
    const client = new HttpKubeClient({ clock, random, server, userAgent: "rouse-activator" });
    const program = await Program.start({ client, clock, random, log }, config);
    let isEnding = false;
    onSignal(() => {
      if (isEnding) {
        exit(1);
        return;
      }
      isEnding = true;
      void program.stop().then(() => {
        client[Symbol.dispose]();
        exit(0);
      });
    });
  } catch (error) {
    log.error("could not start", { error: error instanceof Error ? error.message : String(error) });
    exit(1);
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

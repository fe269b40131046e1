import { readFileSync } from "node:fs";
import {
  findServer,
  HttpKubeClient,
  IdleMemory,
  JsonLogger,
  parseLogging,
  RealClock,
  RealRandom,
} from "@rouse/shared";
import { type Environment, parseConfig } from "./config.ts";
import { Program, type ProgramDeps } from "./program.ts";

export interface RunOptions extends Pick<ProgramDeps, "loadTelemetry"> {
  readonly environment: Environment;
  /** Takes a line, whole: of the log, or of the request log. */
  readonly write: (line: string) => void;
  readonly exit: (code: number) => void;
  /** Calls `end` at each signal to end. */
  readonly onSignal: (end: () => void) => void;
}

/** A burst of ten thousand held requests leaves five times this behind; a collection stops everything for 50 to 100 ms. */
const MEMORY = { busyRatioMax: 0.05, returnedBytesMin: 16 * 1024 * 1024 };

/** Starts the activator against the API its environment names, and ends it at a signal; at a second one, at once. */
export async function run({ environment, write, exit, onSignal, loadTelemetry }: RunOptions): Promise<void> {
  const clock = new RealClock();
  const log = JsonLogger.create(
    {
      clock,
      write,
      logging: parseLogging("", ""),
      program: { name: "activator", caller: "activator/main.cjs" },
    },
    { "knative.dev/controller": "activator", "knative.dev/pod": environment.POD_NAME ?? "" },
  );
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
    const program = await Program.start(
      {
        client,
        clock,
        random,
        log,
        environment,
        loadTelemetry,
        configureLog: (logging) => log.configure(logging),
        writeRequest: write,
      },
      config,
    );
    const memory = new IdleMemory({ clock, log }, MEMORY);
    let isEnding = false;
    onSignal(() => {
      if (isEnding) {
        exit(1);
        return;
      }
      isEnding = true;
      memory[Symbol.dispose]();
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

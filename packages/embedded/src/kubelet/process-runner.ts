import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { Clock } from "@rouse/shared";
import type { OutputStream } from "./output-ring.ts";
import type { Program } from "./program.ts";

export interface StartFailure {
  readonly reason: "CreateContainerError" | "RunContainerError";
  /** Names the command. */
  readonly message: string;
}

export interface ProcessEnd {
  readonly exitCode: number;
  readonly signal?: number;
}

/** Told of one process's life: either `failed` or, at last, `exited`; never both. */
export interface ProcessObserver {
  failed(failure: StartFailure): void;
  output(stream: OutputStream, chunk: Buffer): void;
  /** After its last output. */
  exited(end: ProcessEnd): void;
}

export interface RunningProcess {
  readonly pid: number;
  /** To its whole group; nothing happens when that is gone. */
  signal(name: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
}

/** Starts processes. One implementation spawns, one pretends. */
export interface ProcessRunner {
  /** Returns at once, with the process already on its way; `undefined` means that `failed` will be called. */
  run(program: Program, observer: ProcessObserver): RunningProcess | undefined;
}

/** Output may stay open after the process: a grandchild holds it. It is waited for this long. */
const OUTPUT_MS_MAX = 100;

/** Starts each program as the leader of its own process group. */
export class ChildProcessRunner implements ProcessRunner {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  run(program: Program, observer: ProcessObserver): RunningProcess | undefined {
    const child = this.#spawn(program, observer);
    const pid = child?.pid;
    if (child === undefined || pid === undefined) return undefined;
    child.stdout.on("data", (chunk: Buffer) => observer.output("stdout", chunk));
    child.stderr.on("data", (chunk: Buffer) => observer.output("stderr", chunk));
    this.#reportEnd(child, pid, observer);
    return { pid, signal: (name) => signalGroup(pid, name) };
  }

  #spawn(
    program: Program,
    observer: ProcessObserver,
  ): ChildProcessByStdio<null, Readable, Readable> | undefined {
    try {
      const child = spawn(program.file, program.args, {
        cwd: program.directory,
        env: program.environment,
        detached: true, // a group of its own: signals reach all it starts, and Ctrl-C reaches none of it
        stdio: ["ignore", "pipe", "pipe"],
      });
      // Also emitted when a signal could not be sent; then the process had started and its exit is reported.
      child.on("error", (error) => {
        if (child.pid === undefined) observer.failed(startFailure(program, error));
      });
      return child;
    } catch (error) {
      // What can be told without trying, such as a zero byte in an argument.
      const failure = startFailure(program, error instanceof Error ? error : new Error(String(error)));
      this.#clock.soon(() => observer.failed(failure));
      return undefined;
    }
  }

  #reportEnd(child: ChildProcess, pid: number, observer: ProcessObserver): void {
    child.once("exit", (code, signal) => {
      // As with a container whose first process ends, nothing of it lives on.
      signalGroup(pid, "SIGKILL");
      let isReported = false;
      const report = (): void => {
        if (isReported) return;
        isReported = true;
        child.stdout?.destroy();
        child.stderr?.destroy();
        timer[Symbol.dispose]();
        const number = signal === null ? undefined : constants.signals[signal];
        observer.exited(
          number === undefined ? { exitCode: code ?? 0 } : { exitCode: 128 + number, signal: number },
        );
      };
      const timer = this.#clock.after(OUTPUT_MS_MAX, report);
      child.once("close", report);
    });
  }
}

/** Sends a signal to the group led by `pid`. Returns whether there was one. */
export function signalGroup(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, name);
    return true;
  } catch {
    return false; // ESRCH: all of it has ended
  }
}

function startFailure(program: Program, error: Error): StartFailure {
  const code = "code" in error ? error.code : undefined;
  if (program.directory !== undefined && !existsSync(program.directory)) {
    return {
      reason: "CreateContainerError",
      message: `cannot run ${program.file}: its directory ${program.directory} does not exist`,
    };
  }
  switch (code) {
    case "ENOENT":
      return { reason: "RunContainerError", message: `command not found: ${program.file}` };
    case "EACCES":
      return { reason: "RunContainerError", message: `command may not be executed: ${program.file}` };
    default:
      return { reason: "CreateContainerError", message: `cannot run ${program.file}: ${error.message}` };
  }
}

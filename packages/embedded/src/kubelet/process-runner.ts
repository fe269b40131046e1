import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { Clock, MonoMs } from "@rouse/shared";
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

/** Told of one process's life: `failed`, or `started` and at last `exited`. */
export interface ProcessObserver {
  /** It runs, as the leader of a group of its own; `since` when, if that was before this call. */
  started(pid: number, since?: MonoMs): void;
  failed(failure: StartFailure): void;
  output(stream: OutputStream, chunk: Buffer): void;
  /** After its last output. */
  exited(end: ProcessEnd): void;
}

export interface RunningProcess {
  /** To its whole group, as soon as it runs; nothing happens when that is gone. */
  signal(name: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
}

/** Starts processes. One implementation spawns, one pretends. */
export interface ProcessRunner {
  /** Puts the process on its way before it returns. The observer may be called before that, too. */
  run(program: Program, observer: ProcessObserver): RunningProcess;
}

/** Output may stay open after the process: a grandchild holds it. It is waited for this long. */
export const OUTPUT_MS_MAX = 500;

/**
 * Starts programs from this process. Simple, but the system copies this process's page tables each time: some 4 ms for
 * every 100 MB, during which nothing else happens. `SpawnHelper` is for that.
 */
export class ChildProcessRunner implements ProcessRunner {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  run(program: Program, observer: ProcessObserver): RunningProcess {
    const child = this.#spawn(program, observer);
    const pid = child?.pid;
    if (child === undefined || pid === undefined) return { signal: () => {} };
    child.stdout.on("data", (chunk: Buffer) => observer.output("stdout", chunk));
    child.stderr.on("data", (chunk: Buffer) => observer.output("stderr", chunk));
    this.#reportEnd(child, pid, observer);
    observer.started(pid);
    return { signal: (name) => signalGroup(pid, name) };
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
        observer.exited(processEnd(code, signal));
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

/** The two values of Node's `exit` event as one. */
export function processEnd(code: number | null, signal: NodeJS.Signals | null): ProcessEnd {
  const number = signal === null ? undefined : constants.signals[signal];
  return number === undefined ? { exitCode: code ?? 0 } : { exitCode: 128 + number, signal: number };
}

/** Why a program could not be started, in words that name it. `code` is that of the system's error. */
export function startFailure(
  program: Program,
  error: { readonly code?: unknown; readonly message: string },
): StartFailure {
  if (program.directory !== undefined && !existsSync(program.directory)) {
    return {
      reason: "CreateContainerError",
      message: `cannot run ${program.file}: its directory ${program.directory} does not exist`,
    };
  }
  switch (error.code) {
    case "ENOENT":
      return { reason: "RunContainerError", message: `command not found: ${program.file}` };
    case "EACCES":
      return { reason: "RunContainerError", message: `command may not be executed: ${program.file}` };
    default:
      return { reason: "CreateContainerError", message: `cannot run ${program.file}: ${error.message}` };
  }
}

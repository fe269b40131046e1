import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import { constants } from "node:os";
import { type Clock, type Logger, monoFromSystem } from "@rouse/shared";
import {
  ChildProcessRunner,
  type ProcessObserver,
  type ProcessRunner,
  processEnd,
  type RunningProcess,
  signalGroup,
  startFailure,
} from "./process-runner.ts";
import type { Program } from "./program.ts";
import { spareLine } from "./spare-line.ts";
import { SpareShells } from "./spare-shells.ts";
import { SPAWN_HELPER_PROGRAM } from "./spawn-helper-program.ts";

/** A helper that does not go when asked is killed after this. */
const CLOSE_MS_MAX = 500;

export interface SpawnHelperDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

/** One process that was asked for. */
interface Job {
  readonly program: Program;
  readonly observer: ProcessObserver;
  pid: number | undefined;
}

/**
 * Starts programs from a small process kept for that, which has some forked ahead: starting one of those is a write of
 * 0.1 ms, starting another costs the platform a message and takes about 1.5 ms in all, whatever the platform's size. A
 * `spawn` of its own takes 4 ms for every 100 MB and stops the data path meanwhile. And when the platform dies in any
 * way, the helper ends what it has started.
 *
 * A helper that is lost takes its processes with it, as far as can be known here; later ones are started directly.
 */
export class SpawnHelper implements ProcessRunner, AsyncDisposable {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #direct: ChildProcessRunner;
  readonly #helper: ChildProcess;
  readonly #jobs = new Map<number, Job>();
  readonly #spares = new SpareShells((pid) => this.#send(["drop", pid]));
  readonly #up = Promise.withResolvers<void>();
  #nextId = 1;
  #isClosed = false;

  private constructor(deps: SpawnHelperDeps, helper: ChildProcess) {
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#direct = new ChildProcessRunner(deps.clock);
    this.#helper = helper;
    helper.on("message", (message, handle) => this.#receive(message, handle));
    helper.on("error", (error) => {
      this.#log.warn("spawn helper", { error: error.message });
      this.#up.resolve();
    });
    helper.once("exit", () => this.#lost());
  }

  /**
   * Resolves when the helper has started its first program, one that does nothing, so that the next has no code left
   * to compile; or when it has failed to: then programs are started directly.
   */
  static async start(
    deps: SpawnHelperDeps,
    options: { readonly environment: Readonly<Record<string, string>> },
  ): Promise<SpawnHelper> {
    const helper = spawn(process.execPath, ["--title=rouse-spawn-helper", "-e", SPAWN_HELPER_PROGRAM], {
      detached: true, // Ctrl-C is the platform's to handle
      stdio: ["pipe", "ignore", "ignore", "ipc"],
      serialization: "advanced",
      env: options.environment,
    });
    const started = new SpawnHelper(deps, helper);
    await started.#up.promise;
    await started.#rehearse(options.environment);
    return started;
  }

  get pid(): number | undefined {
    return this.#helper.pid;
  }

  run(program: Program, observer: ProcessObserver): RunningProcess {
    if (!this.#helper.connected || this.#helper.pid === undefined) return this.#direct.run(program, observer);
    const id = this.#nextId++;
    const line = this.#spares.count > 0 ? spareLine(program) : undefined;
    const pid = line === undefined ? undefined : this.#spares.tell(line);
    this.#jobs.set(id, { program, observer, pid });
    if (pid === undefined) {
      const { file, args, directory, environment } = program;
      this.#send(["run", id, file, args, directory, environment]);
    } else {
      const since = this.#clock.now();
      this.#send(["use", id, pid]);
      observer.started(pid, since);
    }
    return {
      signal: (name) => {
        if (this.#jobs.has(id)) this.#send(["signal", id, name]);
      },
    };
  }

  /** Ends the helper, and with it whatever it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#spares[Symbol.dispose]();
    if (!this.#helper.connected || this.#helper.pid === undefined) return;
    const gone = new Promise<void>((resolve) => {
      this.#helper.once("exit", () => resolve());
    });
    this.#helper.disconnect();
    this.#helper.stdin?.destroy();
    using _limit = this.#clock.after(CLOSE_MS_MAX, () => this.#helper.kill("SIGKILL"));
    await gone;
  }

  #rehearse(environment: Readonly<Record<string, string>>): Promise<void> {
    const program = { file: "/bin/sh", args: ["-c", ":"], directory: undefined, environment };
    return new Promise((resolve) => {
      const done = (): void => resolve();
      this.run(program, { started: () => {}, output: () => {}, failed: done, exited: done });
    });
  }

  #send(message: readonly unknown[]): void {
    // A channel that breaks is followed by `exit`, which settles every job.
    if (this.#helper.connected) this.#helper.send([...message], () => {});
  }

  #receive(message: unknown, handle: unknown): void {
    if (!Array.isArray(message)) return;
    const [what, id, first, second]: readonly unknown[] = message;
    if (what === "ready") this.#up.resolve();
    if (what === "spare" && handle instanceof Socket) this.#keepSpare(Number(id), handle);
    const job = typeof id === "number" ? this.#jobs.get(id) : undefined;
    if (job === undefined || typeof id !== "number") return;
    switch (what) {
      case "started":
        job.pid = Number(first);
        job.observer.started(job.pid, monoFromSystem(Number(second)));
        break;
      case "output":
        if (second instanceof Uint8Array) {
          const bytes = Buffer.from(second.buffer, second.byteOffset, second.byteLength);
          job.observer.output(first === "stderr" ? "stderr" : "stdout", bytes);
        }
        break;
      case "failed":
        this.#jobs.delete(id);
        job.observer.failed(startFailure(job.program, { code: first, message: String(second) }));
        break;
      case "exited":
        this.#jobs.delete(id);
        job.observer.exited(
          processEnd(typeof first === "number" ? first : null, isSignal(second) ? second : null),
        );
        break;
    }
  }

  #keepSpare(pid: number, socket: Socket): void {
    if (this.#isClosed) socket.destroy();
    else this.#spares.add(pid, socket);
  }

  #lost(): void {
    this.#up.resolve();
    this.#spares[Symbol.dispose]();
    if (!this.#isClosed) this.#log.error("the spawn helper ended; its processes end with it");
    for (const [id, { observer, pid, program }] of this.#jobs) {
      this.#jobs.delete(id);
      if (pid === undefined) {
        observer.failed(startFailure(program, { message: "the process that starts processes ended" }));
      } else {
        signalGroup(pid, "SIGKILL");
        observer.exited({ exitCode: 137, signal: 9 });
      }
    }
  }
}

function isSignal(value: unknown): value is NodeJS.Signals {
  return typeof value === "string" && value in constants.signals;
}

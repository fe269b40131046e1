import type { Clock, MonoMs, ObjectKey, WallMs } from "@rouse/shared";
import type { OutputRing } from "./output-ring.ts";
import type { Exit } from "./pod-lifecycle.ts";
import type { ProcessRecords } from "./process-records.ts";
import type { ProcessEnd, ProcessRunner, RunningProcess, StartFailure } from "./process-runner.ts";
import type { Program } from "./program.ts";

/** A termination message, as Kubernetes bounds one taken from the log. C-167. */
const MESSAGE_LINES = 80;
const MESSAGE_CHARACTERS = 2_048;
/** After a kill, how long the end of the process is waited for while the platform closes. */
const KILL_MS = 500;

export interface PodProcessDeps {
  readonly clock: Clock;
  readonly runner: ProcessRunner;
  readonly records: Pick<ProcessRecords, "add" | "remove" | "instance">;
}

export interface PodProcessObserver {
  started(at: WallMs, since: MonoMs): void;
  failed(failure: StartFailure): void;
  exited(exit: Exit): void;
}

/** The process that stands for a pod's container: one at a time, recorded while it runs, its last words kept. */
export class PodProcess {
  readonly #deps: PodProcessDeps;
  readonly #pod: ObjectKey;
  readonly #output: OutputRing;
  #running: RunningProcess | undefined;
  #pid: number | undefined;
  #startedAt: WallMs;
  #condemnation: string | undefined;
  #ended: () => void = () => {};

  constructor(deps: PodProcessDeps, pod: ObjectKey, output: OutputRing) {
    this.#deps = deps;
    this.#pod = pod;
    this.#output = output;
    this.#startedAt = deps.clock.wall();
  }

  /** Puts it on its way before it returns. To be called again only after `failed` or `exited`. */
  start(program: Program, observer: PodProcessObserver): void {
    this.#startedAt = this.#deps.clock.wall();
    let isOver = false;
    const over = (): void => {
      isOver = true;
      this.#running = undefined;
      this.#ended();
    };
    const running = this.#deps.runner.run(program, {
      started: (pid, since = this.#deps.clock.now()) => {
        this.#pid = pid;
        this.#deps.records.add(pid, this.#pod);
        this.#output.begin();
        observer.started(this.#startedAt, since);
      },
      output: (stream, chunk) => this.#output.write(stream, chunk),
      failed: (failure) => {
        over();
        observer.failed(failure);
      },
      exited: (end) => {
        over();
        observer.exited(this.#exit(end));
      },
    });
    if (!isOver) this.#running = running; // else the next one may have been started by now
  }

  /** The process, and its group, while it runs. */
  get pid(): number | undefined {
    return this.#running === undefined ? undefined : this.#pid;
  }

  signal(name: "SIGTERM" | "SIGKILL"): void {
    this.#running?.signal(name);
  }

  /** Why it is about to be ended; told with its end. */
  condemn(reason: string): void {
    this.#condemnation = reason;
  }

  /** Ends it, by force after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    const ending = this.#running;
    if (ending === undefined) return;
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    ending.signal("SIGTERM");
    await this.#within(ended, graceMs);
    if (this.#running === undefined) return;
    ending.signal("SIGKILL");
    await this.#within(ended, KILL_MS);
  }

  #exit(end: ProcessEnd): Exit {
    if (this.#pid !== undefined) this.#deps.records.remove(this.#pid);
    this.#pid = undefined;
    this.#output.end();
    const limits = { lines: MESSAGE_LINES, characters: MESSAGE_CHARACTERS };
    const lastWords = end.exitCode === 0 ? "" : this.#output.tail(limits);
    const message = [this.#condemnation ?? "", lastWords].filter((part) => part !== "").join("\n");
    this.#condemnation = undefined;
    return { ...end, message, startedAt: this.#startedAt, finishedAt: this.#deps.clock.wall() };
  }

  async #within(ended: Promise<void>, ms: number): Promise<void> {
    let timer: Disposable | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#deps.clock.after(ms, resolve);
    });
    await Promise.race([ended, late]);
    timer?.[Symbol.dispose]();
  }
}

import { type ChildProcess, type ForkOptions, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { get } from "node:http";
import type { Clock } from "@rouse/shared";

const ASK_MS = 50;
const START_MS_MAX = 30_000;
const PROBE_MS_MAX = 1_000;

export interface MemberPlan {
  readonly name: string;
  /** What is run: a bundle with Node's flags before it, or a source of the test's own, told by `fork`. */
  readonly run:
    | { readonly kind: "bundle"; readonly args: readonly string[] }
    | { readonly kind: "source"; readonly path: string; readonly args: readonly string[] };
  readonly environment: Readonly<Record<string, string>>;
  /** Asked until it answers 200; absent: a source says `ready` itself. */
  readonly ready?: { readonly ip: string; readonly port: number; readonly path: string };
  /** Where its output is kept. */
  readonly log: string;
}

/** One process of the cluster, that may be ended, killed, stopped and started again. */
export class Member implements AsyncDisposable {
  readonly plan: MemberPlan;
  readonly #clock: Clock;
  #process: ChildProcess | undefined;
  /** What a source said when it was ready. */
  said = "";

  constructor(clock: Clock, plan: MemberPlan) {
    this.#clock = clock;
    this.plan = plan;
  }

  get name(): string {
    return this.plan.name;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get isRunning(): boolean {
    return (
      this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
    );
  }

  /** Resolves when it does its work. @throws if it ends before, or takes too long */
  async start(): Promise<this> {
    const { run, environment, log } = this.plan;
    const options: ForkOptions = { env: environment, stdio: ["ignore", "pipe", "pipe", "ipc"] };
    const started =
      run.kind === "source"
        ? fork(run.path, run.args, options)
        : spawn(process.execPath, run.args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = started;
    const keep = (part: Buffer): void => appendFileSync(log, part);
    started.stdout?.on("data", keep);
    started.stderr?.on("data", keep);
    const gone = once(started, "exit").then(() => {
      throw new Error(`${this.name} ended before it was ready, see ${log}`);
    });
    gone.catch(() => {}); // later it may
    await Promise.race([this.#isReady(started), gone]);
    return this;
  }

  /** Ends it as a kubelet would. Resolves when it has. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const ending = this.#process;
    if (ending === undefined || !this.isRunning) return;
    const exited = once(ending, "exit");
    ending.kill(signal);
    await exited;
  }

  /** Sends it a signal it does not end from. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process?.kill(signal);
  }

  /** Whether it answers its readiness probe now. */
  answers(): Promise<boolean> {
    const { ready } = this.plan;
    return ready === undefined ? Promise.resolve(this.isRunning) : asked(ready);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGCONT");
    await this.end("SIGKILL");
  }

  async #isReady(started: ChildProcess): Promise<void> {
    const late = Promise.withResolvers<never>();
    const deadline = this.#clock.after(START_MS_MAX, () =>
      late.reject(
        new Error(`${this.name} was not ready within ${START_MS_MAX / 1_000} s, see ${this.plan.log}`),
      ),
    );
    try {
      await Promise.race([this.plan.ready === undefined ? this.#tells(started) : this.#asks(), late.promise]);
    } finally {
      deadline[Symbol.dispose]();
    }
  }

  async #tells(started: ChildProcess): Promise<void> {
    const [message]: unknown[] = await once(started, "message");
    if (typeof message === "object" && message !== null && "ready" in message)
      this.said = String(message.ready);
  }

  async #asks(): Promise<void> {
    while (this.isRunning && !(await this.answers())) {
      await new Promise<void>((resolve) => this.#clock.after(ASK_MS, resolve));
    }
  }
}

/** As the kubelet asks. */
function asked(at: { readonly ip: string; readonly port: number; readonly path: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { "User-Agent": "kube-probe/1.35" };
    const request = get(
      { host: at.ip, port: at.port, path: at.path, headers, agent: false, timeout: PROBE_MS_MAX },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

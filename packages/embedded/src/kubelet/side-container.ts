import { type Container, type ObjectKey, unreachable } from "@rouse/shared";
import { attemptExec } from "./exec-probe.ts";
import { type LivenessDeps, watchLiveness } from "./liveness-watch.ts";
import type { OutputRing } from "./output-ring.ts";
import { newHistory, type PodEffect, type PodEvent, type PodState, podStep } from "./pod-lifecycle.ts";
import { PodProcess, type PodProcessDeps } from "./pod-process.ts";
import type { ProgramPlan } from "./program.ts";

export interface SideContainerOptions {
  readonly pod: ObjectKey;
  readonly container: Container;
  readonly output: OutputRing;
  readonly plan: () => ProgramPlan;
  /** For a process whose liveness probe has failed. */
  readonly graceMs: number;
  /** `state` has changed. */
  readonly changed: (side: SideContainer) => void;
}

/**
 * A container beside the one that serves: a process that is restarted and backed off by the same rules, and that no
 * request goes to. It counts as ready while it runs; a readiness probe of it is queue-proxy's to ask (C-54).
 */
export class SideContainer {
  readonly container: Container;
  readonly output: OutputRing;
  readonly #deps: PodProcessDeps & LivenessDeps;
  readonly #options: SideContainerOptions;
  readonly #process: PodProcess;
  #state: PodState = { kind: "starting", history: newHistory };
  #alarm: Disposable | undefined;
  #watching = new AbortController();
  #isStarted = false;
  #isClosed = false;

  constructor(deps: PodProcessDeps & LivenessDeps, options: SideContainerOptions) {
    this.container = options.container;
    this.output = options.output;
    this.#deps = deps;
    this.#options = options;
    this.#process = new PodProcess(deps, options.pod, options.output);
  }

  get state(): PodState {
    return this.#state;
  }

  get isReady(): boolean {
    return this.#state.kind === "running" && this.#state.run.isReady;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Starts it for the first time; from then on it looks after itself. */
  start(): void {
    if (this.#isStarted || this.#isClosed) return;
    this.#isStarted = true;
    this.#start();
  }

  /** Ends it, by force after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    this.#alarm?.[Symbol.dispose]();
    this.#watching.abort();
    await this.#process.close(graceMs);
  }

  #start(): void {
    const plan = this.#options.plan();
    if (plan.kind === "refuse") {
      const { reason, message, isFinal } = plan;
      this.#dispatch({ kind: isFinal ? "refused" : "start-failed", reason, message });
      return;
    }
    this.#process.start(plan.program, {
      started: (at) => {
        this.#dispatch({ kind: "started", at });
        this.#dispatch({ kind: "readiness", isReady: true });
        this.#follow(plan);
      },
      failed: ({ reason, message }) => this.#dispatch({ kind: "start-failed", reason, message }),
      exited: (exit) => this.#dispatch({ kind: "exited", exit }),
    });
  }

  #follow({ program }: Extract<ProgramPlan, { kind: "run" }>): void {
    this.#watching.abort();
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    const exec: LivenessDeps["exec"] = (command, options) =>
      attemptExec(this.#deps.runner, program, command, options);
    void watchLiveness({ ...this.#deps, exec }, this.container, 0, signal).then((reason) => {
      if (reason === undefined || signal.aborted) return;
      this.#process.condemn(reason);
      this.#dispatch({ kind: "unhealthy", graceMs: this.#options.graceMs });
    });
  }

  #dispatch(event: PodEvent): void {
    if (this.#isClosed) return;
    const before = this.#state;
    const { state, effects } = podStep(before, event, this.#deps.clock.now());
    this.#state = state;
    if (state.kind !== before.kind) {
      this.#alarm?.[Symbol.dispose]();
      if (state.kind !== "running") this.#watching.abort();
    }
    for (const effect of effects) this.#perform(effect);
    if (this.#state === state && state !== before) this.#options.changed(this);
  }

  #perform(effect: PodEffect): void {
    switch (effect.do) {
      case "start":
        this.#start();
        return;
      case "signal":
        this.#process.signal(effect.signal);
        return;
      case "alarm":
        this.#alarm?.[Symbol.dispose]();
        this.#alarm = this.#deps.clock.after(effect.afterMs, () => this.#dispatch({ kind: "alarm" }));
        return;
      case "drain":
      case "remove":
        return; // only ever asked for by a deletion, and its pod's is what ends it
      default:
        unreachable(effect);
    }
  }
}

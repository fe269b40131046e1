import type { Container, ObjectKey, WallMs } from "@rouse/shared";
import type { OutputRing } from "./output-ring.ts";
import type { Exit } from "./pod-lifecycle.ts";
import { PodProcess, type PodProcessDeps } from "./pod-process.ts";
import type { ProgramPlan } from "./program.ts";

/** Where an init container is. */
export type InitState =
  | { readonly kind: "waiting" }
  | { readonly kind: "running"; readonly startedAt: WallMs }
  | { readonly kind: "refused"; readonly reason: string; readonly message: string }
  /** With exit code 0 it is done for good. */
  | { readonly kind: "ended"; readonly exit: Exit };

export interface InitContainer {
  readonly container: Container;
  readonly output: OutputRing;
  readonly state: InitState;
  readonly restarts: number;
}

export type InitOutcome =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly isFinal: boolean; readonly reason: string; readonly message: string };

export interface InitContainersOptions {
  readonly pod: ObjectKey;
  readonly containers: readonly { readonly container: Container; readonly output: OutputRing }[];
  readonly plan: (container: Container) => ProgramPlan;
  readonly changed: () => void;
}

type Slot = { -readonly [K in keyof InitContainer]: InitContainer[K] };

/** Runs a pod's init containers in their order, each to its end. What has succeeded is not run again. */
export class InitContainers {
  readonly #deps: PodProcessDeps;
  readonly #options: InitContainersOptions;
  readonly #slots: readonly Slot[];
  #current: PodProcess | undefined;
  #isClosed = false;

  constructor(deps: PodProcessDeps, options: InitContainersOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#slots = options.containers.map((each) => ({ ...each, state: { kind: "waiting" }, restarts: 0 }));
  }

  get all(): readonly InitContainer[] {
    return this.#slots;
  }

  get areDone(): boolean {
    return this.#slots.every(({ state }) => state.kind === "ended" && state.exit.exitCode === 0);
  }

  get pid(): number | undefined {
    return this.#current?.pid;
  }

  /** Never rejects; stays unresolved when closed meanwhile. */
  async run(): Promise<InitOutcome> {
    for (const slot of this.#slots) {
      if (slot.state.kind === "ended" && slot.state.exit.exitCode === 0) continue;
      const outcome = await this.#runOne(slot);
      if (outcome.kind === "failed") return outcome;
    }
    return { kind: "done" };
  }

  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    await this.#current?.close(graceMs);
  }

  #runOne(slot: Slot): Promise<InitOutcome> {
    const { container, output } = slot;
    if (slot.state.kind === "ended") slot.restarts++;
    return new Promise((resolve) => {
      const show = (state: InitState): void => {
        slot.state = state;
        if (!this.#isClosed) this.#options.changed();
      };
      const fail = (isFinal: boolean, reason: string, message: string): void => {
        if (!this.#isClosed) resolve({ kind: "failed", isFinal, reason, message });
      };
      const plan = this.#options.plan(container);
      if (plan.kind === "refuse") {
        show({ kind: "refused", reason: plan.reason, message: plan.message });
        fail(plan.isFinal, plan.reason, plan.message);
        return;
      }
      this.#current = new PodProcess(this.#deps, this.#options.pod, output);
      this.#current.start(plan.program, {
        started: (startedAt) => show({ kind: "running", startedAt }),
        failed: ({ reason, message }) => {
          show({ kind: "refused", reason, message });
          fail(false, reason, message);
        },
        exited: (exit) => {
          this.#current = undefined;
          show({ kind: "ended", exit });
          if (exit.exitCode === 0) {
            if (!this.#isClosed) resolve({ kind: "done" });
            return;
          }
          const said = exit.message === "" ? "" : `: ${exit.message}`;
          fail(
            false,
            "PodInitializing",
            `init container ${container.name} ended with exit code ${exit.exitCode}${said}`,
          );
        },
      });
    });
  }
}

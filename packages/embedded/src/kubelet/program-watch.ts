import type { Container, Logger, ObjectKey, Pod, Stored } from "@rouse/shared";
import { attemptExec } from "./exec-probe.ts";
import { type LivenessDeps, watchLiveness } from "./liveness-watch.ts";
import type { ProcessRunner } from "./process-runner.ts";
import type { Program } from "./program.ts";
import { readinessPeriod, watchReadiness } from "./readiness-watch.ts";
import { withCommand } from "./ready-by-command.ts";
import type { Sidecar } from "./sidecar.ts";

export interface ProgramWatchDeps extends LivenessDeps {
  readonly log: Logger;
  readonly runner: ProcessRunner;
}

export interface ProgramWatchOptions {
  readonly key: ObjectKey;
  readonly pod: Stored<Pod>;
  /** The pod's queue-proxy once it listens; `undefined` where the pod has none. */
  readonly sidecar: () => Promise<Sidecar | undefined>;
  /** Told of changes alone. `hasSidecar` is false where the program counts as ready because nobody asks it. */
  readonly readiness: (isReady: boolean, hasSidecar: boolean) => void;
  /** Its liveness or startup probe has given it up. */
  readonly unhealthy: (reason: string) => void;
}

/** Asks one run of a pod's serving program whether it is ready and alive, until told to stop. */
export class ProgramWatch {
  readonly #deps: ProgramWatchDeps;
  readonly #options: ProgramWatchOptions;
  #run = new AbortController();

  constructor(deps: ProgramWatchDeps, options: ProgramWatchOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** A process of the program runs; whatever was asked of one before is of no interest any more. */
  follow(container: Container, program: Program, userPort: number): void {
    this.stop();
    const { signal } = this.#run;
    const exec: LivenessDeps["exec"] = (command, options) =>
      attemptExec(this.#deps.runner, program, command, options);
    this.#followLiveness(container, exec, userPort, signal);
    this.#followReadiness(container, exec, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      this.#deps.log.error("readiness lost", { pod: this.#options.key, error: String(error) });
    });
  }

  stop(): void {
    this.#run.abort();
    this.#run = new AbortController();
  }

  async #followReadiness(
    container: Container,
    exec: NonNullable<LivenessDeps["exec"]>,
    signal: AbortSignal,
  ): Promise<void> {
    const { pod, readiness } = this.#options;
    const sidecar = await this.#options.sidecar();
    if (signal.aborted) return;
    if (sidecar === undefined) {
      readiness(true, false);
      return;
    }
    const asked = withCommand(sidecar, container, { clock: this.#deps.clock, exec });
    await watchReadiness(this.#deps, asked, readinessPeriod(pod), signal, (isReady) =>
      readiness(isReady, true),
    );
  }

  #followLiveness(
    container: Container,
    exec: NonNullable<LivenessDeps["exec"]>,
    userPort: number,
    signal: AbortSignal,
  ): void {
    void watchLiveness({ ...this.#deps, exec }, container, userPort, signal).then((reason) => {
      if (reason !== undefined && !signal.aborted) this.#options.unhealthy(reason);
    });
  }
}

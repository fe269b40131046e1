import type { Clock, Logger, ObjectKey, Pod, Stored } from "@rouse/shared";
import type { LogFiles } from "./log-files.ts";
import type { PodOutputs } from "./pod-outputs.ts";
import type { PodPreparation } from "./pod-preparation.ts";
import type { PodProcess } from "./pod-process.ts";
import type { SideContainer } from "./side-container.ts";
import type { SidecarHolder } from "./sidecar-holder.ts";

/** What runs beside a serving program that is gone has this long to end as well. */
const SIDES_STOP_MS = 2_000;

export interface PodDepartureDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly logs: LogFiles;
  /** Removes the pod from the API. */
  readonly remove: (pod: Stored<Pod>) => void;
  /** Everything is released but what is still written to the disk: `written` resolves after that. */
  readonly gone: (pod: Stored<Pod>, written: Promise<void>) => void;
}

/** All that a pod holds while it is there. */
export interface PodHoldings {
  readonly key: ObjectKey;
  readonly pod: Stored<Pod>;
  readonly process: PodProcess;
  readonly sidecar: SidecarHolder;
  readonly sides: readonly SideContainer[];
  readonly preparation: PodPreparation;
  readonly outputs: PodOutputs;
}

/** How a pod goes: its requests end, then what it holds is given back, and last of all the API forgets it. */
export class PodDeparture {
  readonly #deps: PodDepartureDeps;
  readonly #quietMs: number;
  readonly #of: PodHoldings;
  #quiet: Disposable | undefined;

  /** @param options.quietMs between leaving the endpoints and draining */
  constructor(deps: PodDepartureDeps, options: { readonly quietMs: number }, of: PodHoldings) {
    this.#deps = deps;
    this.#quietMs = options.quietMs;
    this.#of = of;
  }

  /** The sidecar goes on serving while the news of the deletion travels, then lets the requests in flight end. */
  drain(drained: () => void): void {
    const { key, sidecar } = this.#of;
    const serving = sidecar.current;
    if (serving === undefined) {
      drained();
      return;
    }
    const drain = (): void => {
      serving.drain().then(drained, (error: unknown) => {
        this.#deps.log.warn("drain failed", { pod: key, error: String(error) });
        drained();
      });
    };
    if (this.#quietMs === 0) drain();
    else this.#quiet = this.#deps.clock.after(this.#quietMs, drain);
  }

  /** Ends what is left and gives everything back; `gone` and `remove` are called after that. */
  release(): void {
    this.#quiet?.[Symbol.dispose]();
    const { key, pod, process, sidecar, sides, preparation, outputs } = this.#of;
    process.signal("SIGKILL"); // given up: still there after a kill, or never told to end
    const { log, logs, gone, remove } = this.#deps;
    const warn = (error: unknown): void => {
      log.warn("pod not released", { pod: key, error: String(error) });
    };
    const { name, namespace, uid } = pod.metadata;
    const written = this.#closeSides(SIDES_STOP_MS)
      .then(async () => {
        await outputs.close();
        await preparation.removeVolumes();
        await logs.podGone({ namespace, name, uid });
      })
      .catch(warn);
    const isAlone = sides.length === 0 && preparation.areInitsDone;
    // What is on disk is nobody's business: the pod is gone when its processes and its address are.
    const close = Promise.all([sidecar.close(), isAlone ? undefined : written]).then(() => undefined, warn);
    // Last of all the API: a pod that is not there holds nothing any more.
    void close.then(() => {
      gone(pod, written);
      remove(pod);
    });
  }

  /** Ends everything because the platform ends; the API is left as it is. */
  async close(graceMs: number): Promise<void> {
    this.#quiet?.[Symbol.dispose]();
    await Promise.all([this.#of.process.close(graceMs), this.#closeSides(graceMs)]);
    await this.#of.sidecar.close();
    await this.#of.outputs.close();
  }

  async #closeSides(graceMs: number): Promise<void> {
    const { preparation, sides } = this.#of;
    await Promise.all([preparation.close(graceMs), ...sides.map((side) => side.close(graceMs))]);
  }
}

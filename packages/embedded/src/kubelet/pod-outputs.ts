import type { Clock, ObjectKey, Pod, Stored } from "@rouse/shared";
import type { LogFile, LogFiles } from "./log-files.ts";
import { OutputRing } from "./output-ring.ts";
import type { KubeletHooks } from "./sidecar.ts";

export interface PodOutputsDeps {
  readonly clock: Clock;
  readonly hooks: KubeletHooks;
  readonly logs: LogFiles;
}

/** What the containers of one pod write: kept in memory, in files, and told to whoever listens. */
export class PodOutputs {
  readonly #deps: PodOutputsDeps;
  readonly #pod: Stored<Pod>;
  readonly #key: ObjectKey;
  readonly #rings = new Map<string, OutputRing>();
  readonly #files: LogFile[] = [];

  constructor(deps: PodOutputsDeps, pod: Stored<Pod>, key: ObjectKey) {
    this.#deps = deps;
    this.#pod = pod;
    this.#key = key;
  }

  /** A container of that name writes from now on. */
  open(container: string): OutputRing {
    const { clock, hooks, logs } = this.#deps;
    const file = logs.open(this.#pod.metadata, container);
    const output = new OutputRing({
      wall: () => clock.wall(),
      onLine: ({ stream, text, at }) => {
        file.line(stream, text, at);
        hooks.onOutput?.(this.#key, stream, text, container);
      },
    });
    this.#files.push(file);
    this.#rings.set(container, output);
    return output;
  }

  of(container: string): OutputRing | undefined {
    return this.#rings.get(container);
  }

  /** Resolves when everything is on the disk. */
  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()));
  }
}

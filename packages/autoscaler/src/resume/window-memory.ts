import type { Clock, Logger, RevisionKey } from "@rouse/shared";
import type { MetricCollector } from "../collect/metric-collector.ts";
import type { MultiScaler } from "../decide/multi-scaler.ts";
import { parseSnapshot, type RevisionMemory, snapshotText } from "./snapshot.ts";

/** While anything is awake its windows are written down this often. */
const PERIOD_MS = 10_000;

/** Where a snapshot is kept between two lives of the autoscaler. */
export interface SnapshotStore {
  /** What was saved last; `undefined` if nothing was. */
  load(): Promise<string | undefined>;
  save(text: string): Promise<void>;
}

export interface WindowMemoryDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: SnapshotStore;
  readonly collector: Pick<MetricCollector, "remember" | "memories">;
  readonly scaler: Pick<MultiScaler, "remember" | "memories">;
}

/**
 * Writes down what the windows hold and what was decided, and gives it back after a restart: steady load then looks
 * steady, where the reference starts from nothing and goes from 7 pods to 1, 2 and 6. The time in between counts as
 * none: nothing was measured in it.
 */
export class WindowMemory {
  readonly #deps: WindowMemoryDeps;
  #timer: Disposable | undefined;
  #isClosed = false;

  constructor(deps: WindowMemoryDeps) {
    this.#deps = deps;
  }

  /** To be called before anything is collected. A snapshot that cannot be read is none. */
  async recall(): Promise<void> {
    const { store, log, clock, collector, scaler } = this.#deps;
    let text: string | undefined;
    try {
      text = await store.load();
    } catch (error) {
      log.warn("windows not recalled", { error: String(error) });
    }
    const snapshot = text === undefined ? undefined : parseSnapshot(text);
    if (snapshot === undefined) return;
    const awayMs = Math.max(0, clock.wall() - snapshot.takenAt);
    for (const [revision, { collection, decider }] of snapshot.revisions) {
      if (collection !== undefined) collector.remember(revision, collection, awayMs);
      if (decider !== undefined) scaler.remember(revision, decider, awayMs);
    }
  }

  /** Something is awake: what it holds will be written down. */
  touch(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    this.#timer = this.#deps.clock.after(PERIOD_MS, () => {
      this.#timer = undefined;
      void this.#save();
    });
  }

  /** Writes down the last of it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    await this.#save();
  }

  async #save(): Promise<void> {
    const { store, log, clock, collector, scaler } = this.#deps;
    const revisions = new Map<RevisionKey, RevisionMemory>();
    const deciders = new Map(scaler.memories());
    for (const [revision, collection] of collector.memories()) {
      const decider = deciders.get(revision);
      revisions.set(revision, decider === undefined ? { collection } : { collection, decider });
    }
    try {
      await store.save(snapshotText({ takenAt: clock.wall(), revisions }));
    } catch (error) {
      log.warn("windows not written down", { error: String(error) });
    }
  }
}

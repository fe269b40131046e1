import {
  type AggregationAlgorithm,
  LinearWindow,
  type MonoMs,
  type TimedWindow,
  WeightedWindow,
} from "@rouse/shared";
import type { ScalingMetric } from "../config/revision-settings.ts";
import type { Load } from "../receive/load.ts";

export interface CollectionSpec {
  readonly stableSeconds: number;
  readonly panicSeconds: number;
  readonly aggregation: AggregationAlgorithm;
  /** Service whose pods are asked; "" when all traffic is seen by activators. S-41. */
  readonly scrapeTarget: string;
}

export interface Averages {
  readonly stable: number;
  readonly panic: number;
}

/** What a collection holds, for the time after a restart. Values are of one second each, newest first. */
export interface CollectionMemory {
  /** Age of the newest value. */
  readonly silentSeconds: number;
  readonly concurrency: readonly number[];
  readonly rps: readonly number[];
}

interface Windows {
  readonly stable: TimedWindow;
  readonly panic: TimedWindow;
}

/** The load of one revision over both windows, in both metrics. An idle one holds no windows. S-55, S-64. */
export class Collection {
  #spec: CollectionSpec;
  /** Absent until the first record, and again once everything in them is stale. */
  #windows: Readonly<Record<ScalingMetric, Windows>> | undefined;

  constructor(spec: CollectionSpec) {
    this.#spec = spec;
  }

  get spec(): CollectionSpec {
    return this.#spec;
  }

  /** A changed algorithm starts anew: weighted and linear averages of one history differ. S-61, S-63. */
  respec(spec: CollectionSpec, now: MonoMs): void {
    if (spec.aggregation !== this.#spec.aggregation) this.#windows = undefined;
    this.#spec = spec;
    for (const { stable, panic } of Object.values(this.#windows ?? {})) {
      stable.resize(spec.stableSeconds, now);
      panic.resize(spec.panicSeconds, now);
    }
  }

  record(load: Load, at: MonoMs): void {
    this.#windows ??= { concurrency: newWindows(this.#spec), rps: newWindows(this.#spec) };
    for (const metric of ["concurrency", "rps"] as const) {
      this.#windows[metric].stable.record(load[metric], at);
      this.#windows[metric].panic.record(load[metric], at);
    }
  }

  /**
   * `undefined`: no data. Where activators report all there is, silence is a valid 0 (S-64). While pods do not answer, silence of
   * a whole window says nothing; the reference takes it for a load of 0 during its last second, and halves the
   * revision.
   */
  averages(
    metric: ScalingMetric,
    now: MonoMs,
    { isFailing, isReported }: { readonly isFailing: boolean; readonly isReported: boolean },
  ): Averages | undefined {
    if (this.#windows === undefined || this.#windows[metric].stable.isEmpty(now)) {
      return isReported ? { stable: 0, panic: 0 } : undefined;
    }
    const { stable, panic } = this.#windows[metric];
    if (isFailing && stable.silentSeconds(now) >= stable.seconds) return undefined;
    return { stable: stable.average(now), panic: panic.average(panicReadAt(panic, now)) };
  }

  isEmpty(now: MonoMs): boolean {
    return this.#windows?.concurrency.stable.isEmpty(now) ?? true;
  }

  /** `undefined`: nothing that would matter. */
  memory(now: MonoMs): CollectionMemory | undefined {
    if (this.#windows === undefined || this.isEmpty(now)) return undefined;
    const { concurrency, rps } = this.#windows;
    return {
      silentSeconds: Math.max(0, concurrency.stable.silentSeconds(now)),
      concurrency: concurrency.stable.recent().map(rounded),
      rps: rps.stable.recent().map(rounded),
    };
  }

  /** Takes up where another left off, as if the last second it knew of were the one just over. */
  resume(memory: CollectionMemory, now: MonoMs): void {
    const oldest = Math.min(memory.concurrency.length, memory.rps.length) - 1;
    for (let back = oldest; back >= 0; back--) {
      const at = (now - (1 + memory.silentSeconds + back) * 1_000) as MonoMs;
      this.record({ concurrency: memory.concurrency[back] ?? 0, rps: memory.rps[back] ?? 0 }, at);
    }
  }

  /** Gives back the memory of windows in which everything is stale. */
  release(now: MonoMs): void {
    if (this.isEmpty(now)) this.#windows = undefined;
  }
}

/**
 * Reports come once a second, each in a phase of its own: a panic window of one second would be found empty by every
 * tick that falls before the report of its second. That one is read as of the second before.
 */
function panicReadAt(panic: TimedWindow, now: MonoMs): MonoMs {
  return panic.seconds === 1 && panic.silentSeconds(now) === 1 ? ((now - 1_000) as MonoMs) : now;
}

function newWindows({ aggregation, stableSeconds, panicSeconds }: CollectionSpec): Windows {
  const make = (seconds: number): TimedWindow =>
    aggregation === "weighted-exponential" ? new WeightedWindow(seconds) : new LinearWindow(seconds);
  return { stable: make(stableSeconds), panic: make(panicSeconds) };
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

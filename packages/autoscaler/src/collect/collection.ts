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
    return { stable: stable.average(now), panic: panic.average(now) };
  }

  isEmpty(now: MonoMs): boolean {
    return this.#windows?.concurrency.stable.isEmpty(now) ?? true;
  }

  /** Gives back the memory of windows in which everything is stale. */
  release(now: MonoMs): void {
    if (this.isEmpty(now)) this.#windows = undefined;
  }
}

function newWindows({ aggregation, stableSeconds, panicSeconds }: CollectionSpec): Windows {
  const make = (seconds: number): TimedWindow =>
    aggregation === "weighted-exponential" ? new WeightedWindow(seconds) : new LinearWindow(seconds);
  return { stable: make(stableSeconds), panic: make(panicSeconds) };
}

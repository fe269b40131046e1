import type { Clock, RevisionKey, StatMessage, StatSink } from "@rouse/shared";
import { readMeshConfig } from "./config/mesh-config.ts";
import type { Explanation } from "./explain/explanation.ts";
import { objectKeyOf } from "./keys.ts";
import { isRecordable } from "./receive/load.ts";
import { gaugesText, histogramText, type Sample } from "./report/exposition.ts";
import { revisionGauges } from "./report/revision-gauges.ts";
import { type AutoscalerDeps, type AutoscalerOptions, type Parts, wire } from "./wiring.ts";

/** Everything is looked at this often whatever happens: a missed event must not last for ever. S-120. */
const RESYNC_MS = 36_000_000;
const SCRAPE_DURATION = "kn.autoscaler.scrape.duration";

/**
 * From reports of load to replicas, for every revision of the KPA class: activators send, pods are asked, windows
 * average, deciders decide, passes apply. S-1, S-2.
 */
export class Autoscaler implements StatSink, AsyncDisposable {
  readonly #parts: Parts;
  readonly #clock: Clock;
  #resync: Disposable | undefined;
  #isClosed = false;

  /** @throws Error if `config-autoscaler` or `config-deployment` is rejected at first load. S-5 */
  static async start(deps: AutoscalerDeps, options: AutoscalerOptions = {}): Promise<Autoscaler> {
    const parts = wire(deps, options, await readMeshConfig(deps.client));
    const autoscaler = new Autoscaler(parts, deps.clock);
    try {
      await parts.memory?.recall();
      for (const follower of parts.followers) await follower.start();
      autoscaler.#planResync();
    } catch (error) {
      await autoscaler.close();
      throw error;
    }
    return autoscaler;
  }

  private constructor(parts: Parts, clock: Clock) {
    this.#parts = parts;
    this.#clock = clock;
  }

  /** Takes the activators' reports: records each, and wakes at once what sleeps. S-28, S-39, S-40. */
  send(batch: readonly StatMessage[]): void {
    if (this.#isClosed) return;
    for (const { revision, stat } of batch) {
      if (!isRecordable(stat) || !this.#parts.collector.record(revision, stat)) continue;
      this.#parts.pulse.wake(revision);
      this.#parts.scaler.poke(revision, stat);
    }
  }

  /** Looks at every revision anew, when nothing else waits: after a change of configuration or of ownership. */
  lookAgain(): void {
    this.#parts.lookAgain();
  }

  /** `undefined` if no decider of ours scales the revision. */
  explain(revision: RevisionKey): Explanation | undefined {
    const found = this.#parts.scaler.explain(revision);
    if (found === undefined) return undefined;
    const { spec, mode, desiredPods, excessBurstCapacity } = found.decider;
    return {
      pods: this.#parts.ledger.counts(revision),
      decider: { spec, mode, desiredPods, excessBurstCapacity },
      ticks: found.ticks,
      applied: this.#parts.reconciler.applied(objectKeyOf(revision)),
    };
  }

  /** Everything measured, as Prometheus reads it. S-125..S-128. */
  metrics(): string {
    const { scrapes } = this.#parts;
    return gaugesText([...this.#gauges()]) + histogramText(SCRAPE_DURATION, scrapes.sample());
  }

  /** Revisions that cost anything now: those with pods, or with load inside their window. */
  get awakeRevisions(): number {
    return this.#parts.pulse.awakeCount;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#resync?.[Symbol.dispose]();
    for (const follower of this.#parts.followers.toReversed()) follower[Symbol.dispose]();
    for (const running of this.#parts.running) running[Symbol.dispose]();
    await this.#parts.memory?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  *#gauges(): Generator<Sample> {
    const { autoscalers, scaler, reconciler, ledger } = this.#parts;
    for (const [revision, spec, evaluation] of scaler.evaluations()) {
      const key = objectKeyOf(revision);
      const autoscaler = autoscalers.get(key);
      if (autoscaler === undefined) continue;
      const requested = reconciler.applied(key)?.want ?? autoscaler.status?.desiredScale;
      const pods = ledger.counts(revision);
      yield* revisionGauges({ autoscaler, spec, evaluation, pods, requested });
    }
  }

  #planResync(): void {
    this.#resync = this.#clock.after(RESYNC_MS, () => {
      this.lookAgain();
      this.#planResync();
    });
  }
}

import type { Clock, RevisionKey, StatMessage, StatSink } from "@rouse/shared";
import type { ConcurrencyReport } from "./concurrency-report.ts";

/**
 * How long a jump is looked at before it is told. A start that is over sooner needs no more pods for those who waited
 * for it: the pod it brings will have served them before others are up.
 */
const SETTLE_MS = 100;

/** A revision, and how many requests are held for it. */
export interface HeldRevision {
  readonly target: { readonly key: RevisionKey };
  readonly throttle: { readonly held: number };
}

export interface EarlyReportDeps {
  readonly clock: Clock;
  readonly report: ConcurrencyReport;
  readonly stats: StatSink;
}

/**
 * Tells the autoscaler of a burst while it happens: when those held for a revision have doubled since it last heard of
 * them, and are still held a tenth of a second later. Without it a burst from zero is one poke, and the second
 * decision waits for the end of the period. One timer and one batch for all revisions.
 */
export class EarlyReport implements Disposable {
  readonly #deps: EarlyReportDeps;
  readonly #jumped = new Set<HeldRevision>();
  #timer: Disposable | undefined;

  constructor(deps: EarlyReportDeps) {
    this.#deps = deps;
  }

  /** One more is held. */
  heldGrew(entry: HeldRevision): void {
    if (!this.#deps.report.isEarly(entry.target.key, entry.throttle.held)) return;
    this.#jumped.add(entry);
    this.#timer ??= this.#deps.clock.after(SETTLE_MS, () => this.#tell());
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#jumped.clear();
  }

  #tell(): void {
    this.#timer = undefined;
    const batch: StatMessage[] = [];
    for (const { target, throttle } of this.#jumped) {
      const message = this.#deps.report.early(target.key, throttle.held);
      if (message !== undefined) batch.push(message);
    }
    this.#jumped.clear();
    if (batch.length > 0) this.#deps.stats.send(batch, "poke");
  }
}

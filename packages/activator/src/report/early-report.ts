import type { Clock, RevisionKey, StatMessage, StatSink } from "@rouse/shared";
import type { ConcurrencyReport } from "./concurrency-report.ts";

/**
 * How long a jump is looked at before it is told. A start that is over sooner needs no more pods for those who waited
 * for it: the pod it brings will have served them before others are up.
 */
const SETTLE_MS = 100;
/** A queue that will be empty after so many more looks, at the pace it shrank, needs no pods that come then. */
const LOOKS_AHEAD = 3;

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
 * them, and are still held a tenth of a second later. One that is emptying by then is looked at again and not told: the
 * pods there are will have served it before others are up. Without it a burst from zero is one poke, and the second
 * decision waits for the end of the period. One timer and one batch for all revisions.
 */
export class EarlyReport implements Disposable {
  readonly #deps: EarlyReportDeps;
  /** The most that were held since the last look. */
  readonly #jumped = new Map<HeldRevision, number>();
  #timer: Disposable | undefined;

  constructor(deps: EarlyReportDeps) {
    this.#deps = deps;
  }

  /** One more is held. */
  heldGrew(entry: HeldRevision): void {
    if (!this.#deps.report.isEarly(entry.target.key, entry.throttle.held)) return;
    this.#jumped.set(entry, Math.max(this.#jumped.get(entry) ?? 0, entry.throttle.held));
    this.#timer ??= this.#deps.clock.after(SETTLE_MS, () => this.#tell());
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#jumped.clear();
  }

  #tell(): void {
    this.#timer = undefined;
    const batch: StatMessage[] = [];
    for (const [entry, most] of [...this.#jumped]) {
      const { held } = entry.throttle;
      if (held > 0 && held <= (most - held) * LOOKS_AHEAD) {
        this.#jumped.set(entry, held);
        this.#timer ??= this.#deps.clock.after(SETTLE_MS, () => this.#tell());
        continue;
      }
      this.#jumped.delete(entry);
      const message = this.#deps.report.early(entry.target.key, held);
      if (message !== undefined) batch.push(message);
    }
    if (batch.length > 0) this.#deps.stats.send(batch, "poke");
  }
}

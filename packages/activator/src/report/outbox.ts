import type { MonoMs, ReportKind, RevisionKey, StatMessage } from "@rouse/shared";

/** A poke nobody could be told of for longer would wake a revision for a client that is gone. */
const POKE_MS_MAX = 30_000;

/**
 * What is to be told to the autoscaler next: pokes first, then the latest period. While nobody can be told pokes are
 * kept, one per revision, and periods are not. At most one entry per revision and one batch, whatever happens (A-97,
 *
 */
export class Outbox {
  readonly #pokes = new Map<RevisionKey, { message: StatMessage; readonly since: MonoMs }>();
  #period: readonly StatMessage[] | undefined;
  #dropped = 0;

  /** Messages that were never sent. */
  get dropped(): number {
    return this.#dropped;
  }

  put(batch: readonly StatMessage[], kind: ReportKind, now: MonoMs): void {
    if (kind === "period") {
      this.#dropped += this.#period?.length ?? 0;
      this.#period = batch;
      return;
    }
    for (const message of batch) {
      const waiting = this.#pokes.get(message.revision);
      if (waiting === undefined) this.#pokes.set(message.revision, { message, since: now });
      else waiting.message = sumOf(waiting.message, message);
    }
  }

  /** Nobody can be told now: the period is lost. */
  disconnected(): void {
    this.#dropped += this.#period?.length ?? 0;
    this.#period = undefined;
  }

  /** The next batch to be sent. */
  take(now: MonoMs): readonly StatMessage[] | undefined {
    if (this.#pokes.size > 0) {
      const fresh = [...this.#pokes.values()].filter(({ since }) => now - since < POKE_MS_MAX);
      this.#dropped += this.#pokes.size - fresh.length;
      this.#pokes.clear();
      if (fresh.length > 0) return fresh.map(({ message }) => message);
    }
    const period = this.#period;
    this.#period = undefined;
    return period;
  }
}

/** Both are parts of one period, so they add up. */
function sumOf(a: StatMessage, b: StatMessage): StatMessage {
  return {
    revision: a.revision,
    stat: {
      ...b.stat,
      averageConcurrentRequests: a.stat.averageConcurrentRequests + b.stat.averageConcurrentRequests,
      requestCount: a.stat.requestCount + b.stat.requestCount,
    },
  };
}

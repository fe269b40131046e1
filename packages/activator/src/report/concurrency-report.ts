import type { MonoMs, RevisionKey, StatMessage } from "@rouse/shared";

interface Record {
  readonly revision: RevisionKey;
  concurrency: number;
  /** Concurrency × milliseconds since the period began. */
  area: number;
  last: MonoMs;
  since: MonoMs;
  arrivals: number;
  /** The poke said (1, 1) before there was a period; the first report takes it back. */
  isPokeOwed: boolean;
}

/**
 * What this activator tells the autoscaler about each revision: requests begun, and the time integral of those
 * running, waiting ones included. The first request of a revision without a record is told at once, the poke, and the
 * first report discounts it. A record that was idle for a whole period goes, so that the next request pokes again.
 * A-85..A-88.
 */
export class ConcurrencyReport {
  readonly #podName: string;
  readonly #records = new Map<RevisionKey, Record>();

  constructor(podName: string) {
    this.#podName = podName;
  }

  /** A request begins. Returns the poke to send now, if it is one. */
  started(revision: RevisionKey, now: MonoMs): StatMessage | undefined {
    const known = this.#records.get(revision);
    if (known !== undefined) {
      advance(known, now);
      known.concurrency++;
      known.arrivals++;
      return undefined;
    }
    this.#records.set(revision, {
      revision,
      concurrency: 1,
      area: 0,
      last: now,
      since: now,
      arrivals: 1,
      isPokeOwed: true,
    });
    return this.#message(revision, 1, 1);
  }

  ended(revision: RevisionKey, now: MonoMs): void {
    const record = this.#records.get(revision);
    if (record === undefined) return;
    advance(record, now);
    record.concurrency--;
  }

  /** Closes the period of every record, in one batch. Zeroes are sent; nothing is, when there are no records. */
  cut(now: MonoMs): readonly StatMessage[] {
    const batch: StatMessage[] = [];
    for (const record of this.#records.values()) {
      advance(record, now);
      const elapsedMs = now - record.since;
      const average = elapsedMs > 0 ? record.area / elapsedMs : 0;
      const poke = record.isPokeOwed ? 1 : 0;
      batch.push(this.#message(record.revision, Math.max(0, average - poke), record.arrivals - poke));
      record.area = 0;
      record.since = now;
      record.arrivals = 0;
      record.isPokeOwed = false;
      if (average === 0 && record.concurrency === 0) this.#records.delete(record.revision);
    }
    return batch;
  }

  #message(revision: RevisionKey, concurrency: number, count: number): StatMessage {
    return {
      revision,
      stat: {
        podName: this.#podName,
        averageConcurrentRequests: concurrency,
        averageProxiedConcurrentRequests: 0,
        requestCount: count,
        proxiedRequestCount: 0,
        processUptime: 0,
        timestamp: 0,
      },
    };
  }
}

function advance(record: Record, now: MonoMs): void {
  const elapsedMs = now - record.last;
  if (elapsedMs <= 0) return; // a step backwards is ignored
  record.area += record.concurrency * elapsedMs;
  record.last = now;
}

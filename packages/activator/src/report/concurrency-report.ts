import type { MonoMs, RevisionKey, StatMessage } from "@rouse/shared";

interface Record {
  readonly revision: RevisionKey;
  concurrency: number;
  /** Concurrency × milliseconds since the period began. */
  area: number;
  last: MonoMs;
  since: MonoMs;
  arrivals: number;
  /** Concurrency told within the period, by the poke or by an early report; the report at its end takes it back. */
  told: number;
  /** Arrivals told within the period. */
  arrivalsTold: number;
  /** What the autoscaler last heard. */
  lastTold: number;
  /** What the last periodic report said. */
  reported: number;
}

/** An early report is for a load at least so many times what was last told. */
const EARLY_FACTOR = 2;

/**
 * What this activator tells the autoscaler about each revision: requests begun, and the time integral of those
 * running, waiting ones included. The first request of a revision without a record is told at once, the poke, and so
 * is a jump of those held; the report at the end of the period discounts both. A record that was idle for a whole period goes, so that the next request pokes again.
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
      told: 1,
      arrivalsTold: 1,
      lastTold: 1,
      reported: 0,
    });
    return this.#message(revision, 1, 1);
  }

  /** What the report of the last whole period said; `undefined` without a record. */
  reported(revision: RevisionKey): number | undefined {
    return this.#records.get(revision)?.reported;
  }

  /** Whether so many requests held are worth a report before the period ends. */
  isEarly(revision: RevisionKey, held: number): boolean {
    const record = this.#records.get(revision);
    return record !== undefined && held >= EARLY_FACTOR * Math.max(1, record.lastTold);
  }

  /** The load has jumped to `held`. Returns what of that has not been told in this period, if it is worth it. */
  early(revision: RevisionKey, held: number): StatMessage | undefined {
    const record = this.#records.get(revision);
    if (record === undefined || !this.isEarly(revision, held)) return undefined;
    const message = this.#message(revision, held - record.told, record.arrivals - record.arrivalsTold);
    record.told = held;
    record.arrivalsTold = record.arrivals;
    record.lastTold = held;
    return message;
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
      const rest = Math.max(0, average - record.told);
      batch.push(this.#message(record.revision, rest, record.arrivals - record.arrivalsTold));
      record.area = 0;
      record.since = now;
      record.arrivals = 0;
      record.told = 0;
      record.arrivalsTold = 0;
      record.lastTold = average;
      record.reported = rest;
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

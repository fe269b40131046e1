import type { Clock, RevisionKey } from "@rouse/shared";

/** One scrape a second and one evaluation every two. S-41, S-79. */
const BEAT_MS = 1_000;
/** Beats fall into the middle of a second, so that jitter does not move a report into its neighbour's bucket. */
const PHASE_MS = 500;

/** Work of one beat for one revision. `asleep`: there is nothing to watch, no further beats until it is woken. */
export type Beat = (revision: RevisionKey, beat: number) => "awake" | "asleep";

/**
 * One timer for every revision that has something to watch, and none when there is no such revision: 10,000 idle
 * revisions cost nothing. Beats are planned from absolute times, so delays do not add up.
 */
export class Pulse implements Disposable {
  readonly #clock: Clock;
  readonly #beat: Beat;
  readonly #awake = new Set<RevisionKey>();
  #timer: Disposable | undefined;
  #beats = 0;
  #isClosed = false;

  constructor(clock: Clock, beat: Beat) {
    this.#clock = clock;
    this.#beat = beat;
  }

  get awakeCount(): number {
    return this.#awake.size;
  }

  wake(revision: RevisionKey): void {
    if (this.#isClosed) return;
    this.#awake.add(revision);
    if (this.#timer === undefined) this.#arm();
  }

  forget(revision: RevisionKey): void {
    this.#awake.delete(revision);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    this.#awake.clear();
  }

  #arm(): void {
    const sincePhaseMs = (this.#clock.now() - PHASE_MS) % BEAT_MS;
    const delayMs = sincePhaseMs < 0 ? -sincePhaseMs : BEAT_MS - sincePhaseMs;
    this.#timer = this.#clock.after(delayMs, () => this.#fire());
  }

  #fire(): void {
    this.#timer = undefined;
    this.#beats++;
    for (const revision of [...this.#awake]) {
      this.#awake.delete(revision); // before its beat, so that being woken during it counts
      if (this.#beat(revision, this.#beats) === "awake") this.#awake.add(revision);
    }
    if (this.#awake.size > 0 && this.#timer === undefined && !this.#isClosed) this.#arm();
  }
}

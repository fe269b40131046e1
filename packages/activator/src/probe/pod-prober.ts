import type { Clock, Endpoint } from "@rouse/shared";
import type { RevisionEntry } from "../resolve/revision-entry.ts";
import { type AskPod, askPod } from "./ask-pod.ts";

/** How a pod is asked. */
export interface ProbePace {
  /** Between two questions, at first. */
  readonly periodMs: number;
  /** For one question. */
  readonly timeoutMs: number;
}

/** Readiness is normally pushed within milliseconds; asking is for where it is not. As the reference, A-56, A §1.2. */
const PACE: ProbePace = { periodMs: 200, timeoutMs: 300 };
/** A pod that stays unready is asked less and less often, up to this. */
const PERIOD_MS_MAX = 2_000;
/** How many times it is asked at the first pace. */
const ASKED_OFTEN = 25;

export interface PodProberDeps {
  readonly clock: Clock;
  /** The question; `askPod` outside of tests. */
  readonly ask?: AskPod;
  /** Every 200 ms, for 300 ms, unless told. */
  readonly pace?: ProbePace;
  /** Told of each pod that says it is ready. It is not asked again until it is listed as not ready anew. */
  readonly ready: (entry: RevisionEntry, pod: Endpoint) => void;
}

/**
 * Asks pods that are listed and not ready yet, until they answer, so that they are used before the API says they are
 * ready. One question at a time and pod; a pod that leaves the list is not asked any more.
 */
export class PodProber implements Disposable {
  readonly #clock: Clock;
  readonly #ask: AskPod;
  readonly #pace: ProbePace;
  readonly #ready: PodProberDeps["ready"];
  readonly #asked = new Map<RevisionEntry, Map<Endpoint, AbortController>>();

  constructor({ clock, ready, ask = askPod, pace = PACE }: PodProberDeps) {
    this.#pace = pace;
    this.#clock = clock;
    this.#ask = ask;
    this.#ready = ready;
  }

  /** The revision's pods have changed: asks those of whom nothing is known, and no others. */
  sync(entry: RevisionEntry): void {
    const wanted = new Set(entry.target.isUsableBeforeReady ? entry.readiness.unknown() : []);
    const asked = this.#asked.get(entry) ?? new Map<Endpoint, AbortController>();
    for (const [pod, controller] of asked) {
      if (wanted.has(pod)) continue;
      asked.delete(pod);
      controller.abort();
    }
    for (const pod of wanted) {
      if (asked.has(pod)) continue;
      const controller = new AbortController();
      asked.set(pod, controller);
      this.#askAfter(this.#pace.periodMs, { entry, pod, signal: controller.signal, times: 1 });
    }
    if (asked.size > 0) this.#asked.set(entry, asked);
    else this.#asked.delete(entry);
  }

  /** The revision is gone. */
  forget(entry: RevisionEntry): void {
    for (const controller of this.#asked.get(entry)?.values() ?? []) controller.abort();
    this.#asked.delete(entry);
  }

  [Symbol.dispose](): void {
    for (const entry of [...this.#asked.keys()]) this.forget(entry);
  }

  #askAfter(delayMs: number, question: Question): void {
    const { signal } = question;
    const timer = this.#clock.after(delayMs, () => {
      signal.removeEventListener("abort", stop);
      void this.#askNow(question);
    });
    const stop = (): void => timer[Symbol.dispose]();
    signal.addEventListener("abort", stop, { once: true });
  }

  async #askNow({ entry, pod, signal, times }: Question): Promise<void> {
    const isReady = await this.#ask(pod, { clock: this.#clock, timeoutMs: this.#pace.timeoutMs, signal });
    if (signal.aborted) return;
    if (isReady) {
      this.#ready(entry, pod);
      return;
    }
    const doublings = Math.max(0, times - ASKED_OFTEN);
    const delayMs = Math.min(
      this.#pace.periodMs * 2 ** doublings,
      Math.max(PERIOD_MS_MAX, this.#pace.periodMs),
    );
    this.#askAfter(delayMs, { entry, pod, signal, times: times + 1 });
  }
}

interface Question {
  readonly entry: RevisionEntry;
  readonly pod: Endpoint;
  readonly signal: AbortSignal;
  readonly times: number;
}

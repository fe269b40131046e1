import type { Clock, Endpoint } from "@rouse/shared";
import type { RevisionEntry } from "../resolve/revision-entry.ts";
import { type AskPod, askPod } from "./ask-pod.ts";

/** Readiness is normally pushed within milliseconds; asking is for where it is not. As the reference's period, A-56. */
const PERIOD_MS_FIRST = 200;
/** A pod that stays unready is asked less and less often, up to this. */
const PERIOD_MS_MAX = 2_000;
/** How many times it is asked at the first pace. */
const ASKED_OFTEN = 25;
/** For one question. */
const TIMEOUT_MS = 300;

export interface PodProberDeps {
  readonly clock: Clock;
  /** The question; `askPod` outside of tests. */
  readonly ask?: AskPod;
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
  readonly #ready: PodProberDeps["ready"];
  readonly #asked = new Map<RevisionEntry, Map<Endpoint, AbortController>>();

  constructor({ clock, ready, ask = askPod }: PodProberDeps) {
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
      this.#askAfter(PERIOD_MS_FIRST, { entry, pod, signal: controller.signal, times: 1 });
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
    const isReady = await this.#ask(pod, { clock: this.#clock, timeoutMs: TIMEOUT_MS, signal });
    if (signal.aborted) return;
    if (isReady) {
      this.#ready(entry, pod);
      return;
    }
    const doublings = Math.max(0, times - ASKED_OFTEN);
    const delayMs = Math.min(PERIOD_MS_FIRST * 2 ** doublings, PERIOD_MS_MAX);
    this.#askAfter(delayMs, { entry, pod, signal, times: times + 1 });
  }
}

interface Question {
  readonly entry: RevisionEntry;
  readonly pod: Endpoint;
  readonly signal: AbortSignal;
  readonly times: number;
}

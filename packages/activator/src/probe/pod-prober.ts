import { type Clock, type Endpoint, unreachable } from "@rouse/shared";
import type { RevisionEntry } from "../resolve/revision-entry.ts";
import { type AskPod, askPod } from "./ask-pod.ts";
import type { PodAnswer } from "./pod-reach.ts";

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
/** How often it is tried whether pods behind a mesh can be reached after all. A-60 */
const MESH_PERIOD_MS = 60_000;

export interface PodProberDeps {
  readonly clock: Clock;
  /** The question; `askPod` outside of tests. */
  readonly ask?: AskPod;
  /** Every 200 ms, for 300 ms, unless told. */
  readonly pace?: ProbePace;
  /** Whether pods are asked by the name of their Service. A-22 */
  readonly isPassthrough?: boolean;
  /** Told of each answer. A pod that is ready is not asked again until it is listed as not ready anew. */
  readonly answered: (entry: RevisionEntry, pod: Endpoint, answer: PodAnswer) => void;
}

/** Whom to ask, and how. */
interface Questions {
  readonly pods: Iterable<Endpoint>;
  readonly firstAfterMs: number;
  /** From then on; doubling after a while unless it `isSteady`. */
  readonly periodMs: number;
  readonly isSteady: boolean;
}

/**
 * Asks pods: those that are listed and not ready yet, so that they are used before the API says they are ready (A-54,
 * A-58); and where it is not known whether pods can be reached at all, those that are ready as well, at once. One
 * question at a time and pod; a pod that leaves the list is not asked any more.
 */
export class PodProber implements Disposable {
  readonly #deps: PodProberDeps;
  readonly #ask: AskPod;
  readonly #pace: ProbePace;
  readonly #asked = new Map<RevisionEntry, Map<Endpoint, AbortController>>();

  constructor(deps: PodProberDeps) {
    this.#deps = deps;
    this.#pace = deps.pace ?? PACE;
    this.#ask = deps.ask ?? askPod;
  }

  /** The revision's pods, or the way to them, have changed: asks those of whom there is something to know. */
  sync(entry: RevisionEntry): void {
    const { pods, firstAfterMs, periodMs, isSteady } = this.#questions(entry);
    const wanted = new Set(pods);
    const asked = this.#asked.get(entry) ?? new Map<Endpoint, AbortController>();
    for (const [pod, controller] of asked) {
      if (wanted.has(pod)) continue;
      asked.delete(pod);
      controller.abort();
    }
    if (wanted.size > 0) this.#asked.set(entry, asked);
    else this.#asked.delete(entry);
    for (const pod of wanted) {
      if (asked.has(pod)) continue;
      const controller = new AbortController();
      asked.set(pod, controller);
      const question = { entry, pod, signal: controller.signal, times: 1, periodMs, isSteady };
      if (firstAfterMs === 0) void this.#askNow(question);
      else this.#askAfter(firstAfterMs, question);
    }
  }

  /** Asks the address of the revision's Service, once. */
  askService(entry: RevisionEntry, address: Endpoint): Promise<PodAnswer> {
    const { clock } = this.#deps;
    const { signal } = new AbortController();
    return this.#ask(address, { clock, timeoutMs: this.#pace.timeoutMs, signal, ...this.#through(entry) });
  }

  /** The revision is gone. */
  forget(entry: RevisionEntry): void {
    for (const controller of this.#asked.get(entry)?.values() ?? []) controller.abort();
    this.#asked.delete(entry);
  }

  [Symbol.dispose](): void {
    for (const entry of [...this.#asked.keys()]) this.forget(entry);
  }

  #questions({ reach, readiness, target }: RevisionEntry): Questions {
    const early = target.isUsableBeforeReady ? readiness.unknown() : [];
    const { periodMs } = this.#pace;
    switch (reach.kind) {
      case "pods":
        return { pods: early, firstAfterMs: periodMs, periodMs, isSteady: false };
      case "unknown":
        return { pods: [...readiness.usable(), ...early], firstAfterMs: 0, periodMs, isSteady: false };
      case "service": {
        const one = reach.isSettled ? [] : readiness.usable().slice(0, 1);
        return { pods: one, firstAfterMs: MESH_PERIOD_MS, periodMs: MESH_PERIOD_MS, isSteady: true };
      }
      default:
        return unreachable(reach.kind);
    }
  }

  #through({ target }: RevisionEntry): { readonly through?: string } {
    return this.#deps.isPassthrough === true ? { through: target.privateService } : {};
  }

  #askAfter(delayMs: number, question: Question): void {
    const { signal } = question;
    const timer = this.#deps.clock.after(delayMs, () => {
      signal.removeEventListener("abort", stop);
      void this.#askNow(question);
    });
    const stop = (): void => timer[Symbol.dispose]();
    signal.addEventListener("abort", stop, { once: true });
  }

  async #askNow(question: Question): Promise<void> {
    const { entry, pod, signal, times, periodMs, isSteady } = question;
    const { clock, answered } = this.#deps;
    const { timeoutMs } = this.#pace;
    const answer = await this.#ask(pod, { clock, timeoutMs, signal, ...this.#through(entry) });
    if (signal.aborted) return;
    answered(entry, pod, answer);
    if (signal.aborted || answer === "ready") return;
    const doublings = isSteady ? 0 : Math.max(0, times - ASKED_OFTEN);
    const delayMs = Math.min(periodMs * 2 ** doublings, Math.max(PERIOD_MS_MAX, periodMs));
    this.#askAfter(delayMs, { ...question, times: times + 1 });
  }
}

interface Question {
  readonly entry: RevisionEntry;
  readonly pod: Endpoint;
  readonly signal: AbortSignal;
  readonly times: number;
  readonly periodMs: number;
  readonly isSteady: boolean;
}

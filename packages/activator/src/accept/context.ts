import { Deadline, type Endpoint, type Exchange, type MonoMs, type Waiter } from "@rouse/shared";
import type { PodTracker } from "../balance/pod-tracker.ts";
import type { RevisionEntry } from "../resolve/revision-entry.ts";
import type { RequestTrace } from "../trace/tracing.ts";

export type HeldExchange = Exchange<ActivatorContext>;

/** What the layers of the activator know about one exchange. Made by the server for each. */
export class ActivatorContext {
  /** Which revision it is for. Set by `resolve/`, read by all that follow. */
  revision: RevisionEntry | undefined;
  /** Its place among those held, while it is. */
  waiter: Waiter<HeldExchange> | undefined;
  /** What it takes of memory while it waits. */
  heldBytes = 0;
  /** The pod whose slot it has, while it has one. */
  tracker: PodTracker | undefined;
  /** How often it has been forwarded. */
  attempts = 0;
  /** It had to wait for a pod. */
  wasHeld = false;
  /** When it was last sent to one. */
  sentAt: MonoMs | undefined;
  /** What the pod it was last sent to said: a status, or what went wrong instead. */
  podResult: number | string | undefined;
  /** How long that took. */
  podTookMs = 0;
  podAddress: Endpoint | undefined;
  /** The pod's queue-proxy has just said that its program is not there. */
  isProgramGone = false;
  /** What it waited for, of one that is timed, once its pod answers: milliseconds of each of `timedPhases`. */
  waitedMs: readonly number[] | undefined;
  isTimed = false;
  /** Its spans, where it is traced. */
  trace: RequestTrace | undefined;
  /** When it is tried again, while it waits for that out of the queue. */
  retryTimer: Disposable | undefined;
  readonly deadline = new Deadline();
}

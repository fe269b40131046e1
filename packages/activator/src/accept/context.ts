import { Deadline, type Exchange, type MonoMs, type Waiter } from "@rouse/shared";
import type { PodTracker } from "../balance/pod-tracker.ts";
import type { RevisionEntry } from "../resolve/revision-entry.ts";

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
  /** When it was last sent to one; known of those that were held, and where answers say so. */
  sentAt: MonoMs | undefined;
  /** When it is tried again, while it waits for that out of the queue. */
  retryTimer: Disposable | undefined;
  readonly deadline = new Deadline();
}

import type { MonoMs } from "@rouse/shared";
import type { HeldExchange } from "../accept/context.ts";
import type { PodReach } from "../probe/pod-reach.ts";
import { RetryBudget } from "../throttle/retry.ts";
import type { RevisionThrottle } from "../throttle/revision-throttle.ts";
import { PodReadiness } from "../watch/pod-readiness.ts";
import type { StartFailure } from "../watch/start-failure.ts";
import type { RevisionTarget } from "./revision-target.ts";

/** All the activator knows about one revision: one object per revision, for as long as the revision exists. */
export interface RevisionEntry {
  target: RevisionTarget;
  /** Tells a revision from one of the same name that came after it. */
  readonly uid: string;
  readonly throttle: RevisionThrottle<HeldExchange>;
  readonly readiness: PodReadiness;
  readonly reach: PodReach;
  /** Those that failed and wait to be tried again, out of the queue. */
  readonly retrying: Set<HeldExchange>;
  readonly retryBudget: RetryBudget;
  /** Since when public Endpoints have not listed this activator; `undefined` while they do, or never have. */
  unlistedSince: MonoMs | undefined;
  /** Bytes of those held. */
  heldBytes: number;
  /** Why waiting is for nothing, while it is. */
  failure: StartFailure | undefined;
  /** When the one that waits longest has waited too long. */
  waitTimer: Disposable | undefined;
  /** The revision was deleted: what runs finishes, nothing waits for it any more. */
  isGone: boolean;
  /** Ejected pods come back by these. */
  readonly ejections: Set<Disposable>;
}

/** Of a revision of which nothing has been seen yet. */
export function newRevisionEntry(
  of: Pick<RevisionEntry, "target" | "uid" | "throttle" | "reach">,
): RevisionEntry {
  return {
    ...of,
    readiness: new PodReadiness(),
    retrying: new Set(),
    retryBudget: new RetryBudget(),
    unlistedSince: undefined,
    heldBytes: 0,
    failure: undefined,
    waitTimer: undefined,
    isGone: false,
    ejections: new Set(),
  };
}

/** Nobody waits for it any more. */
export function stopTimers(entry: RevisionEntry): void {
  entry.waitTimer?.[Symbol.dispose]();
  entry.waitTimer = undefined;
  for (const timer of entry.ejections) timer[Symbol.dispose]();
  entry.ejections.clear();
}

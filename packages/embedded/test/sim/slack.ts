import type { Scenario } from "./scenario.ts";

/** What messages and turns of loops take in sum, although nothing fails. */
const CALM_MS = 100;
/** What a write that failed several times may wait for its next try, in sum. */
const RETRIES_MS = 1_000;
/** A watch that ended is opened anew. */
const WATCH_AGAIN_MS = 500;
/** Two components in turn may stand still for 2.5 s each. */
const STALLS_MS = 5_000;
/**
 * A pod that became ready when it had been deleted already, which its kubelet did not know yet: the activator whose share
 * it is believes in it for this long, while others have pods.
 */
const TRUST_MS = 3_000;

/** For how long things may be otherwise than they should, with the faults of a scenario. */
export interface Slack {
  /** A request waits in an activator while a pod has a free slot. */
  readonly freeMs: number;
  /** A request waits and nothing is started for it. */
  readonly wakeMs: number;
  /** Public endpoints lead only to nobody. I-2. */
  readonly nowhereMs: number;
}

export function slackOf({ faults, stalls, activators }: Scenario): Slack {
  const newsMs =
    CALM_MS +
    2 * faults.lagMs +
    (faults.writeFailures + faults.conflicts > 0 ? RETRIES_MS : 0) +
    (faults.watchEnds > 0 ? WATCH_AGAIN_MS : 0) +
    (stalls > 0 ? STALLS_MS : 0);
  const trustMs = faults.lagMs > 0 && activators > 1 ? TRUST_MS : 0;
  return { freeMs: newsMs + trustMs, wakeMs: newsMs, nowhereMs: newsMs };
}

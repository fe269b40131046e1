import type { Activity } from "./activity.ts";

/** Added to the progress deadline before an activation is given up. S-102. */
const ACTIVATION_SLACK_MS = 30_000;
/** API timestamps are whole seconds. */
const TIMESTAMP_STEP_MS = 1_000;
/** Another look at a revision that is inactive in proxy mode already, in case no event brings one. S-104. */
const NUDGE_MS = 3_000;

/** Whether a request for the revision would meet an activator. */
export type Confirmation =
  | "unasked"
  | "confirmed"
  | "denied"
  /** The activator never leaves the path, so asking would say nothing. K-76. */
  | { readonly kind: "always-in-path"; readonly readyActivators: number };

/** All that matters once no pods are wanted. */
export interface IdleRevision {
  readonly activity: Activity;
  readonly isScaleToZeroEnabled: boolean;
  readonly stableWindowMs: number;
  readonly progressDeadlineMs: number;
  readonly graceMs: number;
  /** How long the last pod stays after the revision went inactive; 0 when nobody can reach it. */
  readonly retentionMs: number;
  /** What the ServerlessService is asked for now. */
  readonly mode: "Serve" | "Proxy";
  /** How long activators have been in the path; 0 while they are not. K-49. */
  readonly proxyForMs: number;
  readonly replicas: number;
  readonly confirmation: Confirmation;
}

/** What becomes of a revision no pods are wanted for. */
export type ScaleToZero =
  /** Set the replicas, and look again later if a time is given. */
  | {
      readonly kind: "apply";
      readonly pods: 0 | 1;
      readonly recheckMs?: number;
      readonly because: ZeroReason;
    }
  /** Report `want`, leave the replicas alone. `undefined`: nothing is wanted or unwanted yet. */
  | {
      readonly kind: "hold";
      readonly want: 0 | undefined;
      readonly recheckMs?: number;
      readonly because: ZeroReason;
    }
  /** Ask whether the activator is in the path, then decide again with the answer. */
  | { readonly kind: "ask-activator" }
  /** Report 0, leave the replicas alone, keep asking in the background. */
  | { readonly kind: "ask-later"; readonly because: ZeroReason };

export type ZeroReason =
  | "scale-to-zero-disabled"
  | "activating"
  | "activation-timed-out"
  | "stable-window"
  | "going-inactive"
  | "at-zero"
  | "no-activator"
  | "activator-not-in-path"
  | "pod-retention"
  | "grace-period"
  | "idle";

/**
 * The last pod goes when requests are known to reach an activator, and the revision has been inactive for the
 * retention, and either it or the activator's place in the path is older than the grace period (S-107). Once wanted
 * pods, bounds included, are 0. S-101..S-107, V-44.
 */
export function scaleToZero(revision: IdleRevision): ScaleToZero {
  if (!revision.isScaleToZeroEnabled) return { kind: "apply", pods: 1, because: "scale-to-zero-disabled" };
  switch (revision.activity.kind) {
    case "activating":
      return whileActivating(revision);
    case "active":
      return whileActive(revision);
    case "inactive":
      return whileInactive(revision);
  }
}

/**
 * S-103: given up once it took longer than its pods may take to become ready. The reference looks again after a whole
 * timeout, which can double it; here it is just after the rest of it.
 */
function whileActivating({ activity, progressDeadlineMs }: IdleRevision): ScaleToZero {
  const restMs = progressDeadlineMs + ACTIVATION_SLACK_MS - activity.forMs;
  return restMs < 0
    ? { kind: "apply", pods: 0, because: "activation-timed-out" }
    : { kind: "hold", want: undefined, recheckMs: restMs + TIMESTAMP_STEP_MS, because: "activating" };
}

/** S-104: never shorter than one stable window; then inactive first, so that the activator takes the path. */
function whileActive({ activity, stableWindowMs, mode }: IdleRevision): ScaleToZero {
  if (activity.forMs < stableWindowMs) {
    return { kind: "apply", pods: 1, recheckMs: stableWindowMs - activity.forMs, because: "stable-window" };
  }
  return {
    kind: "hold",
    want: 0,
    because: "going-inactive",
    ...(mode === "Proxy" ? { recheckMs: NUDGE_MS } : {}),
  };
}

/** S-105, S-106. Nothing is asked about a revision that has no pods left. */
function whileInactive(revision: IdleRevision): ScaleToZero {
  if (revision.replicas === 0) return { kind: "apply", pods: 0, because: "at-zero" };
  switch (revision.confirmation) {
    case "unasked":
      return { kind: "ask-activator" };
    case "denied":
      return { kind: "ask-later", because: "activator-not-in-path" };
    case "confirmed":
      return onceConfirmed(revision);
    default:
      // K-84: with every activator gone, nobody could wake the revision again.
      return revision.confirmation.readyActivators > 0
        ? onceConfirmed(revision)
        : { kind: "hold", want: 0, recheckMs: NUDGE_MS, because: "no-activator" };
  }
}

function onceConfirmed({ activity, graceMs, retentionMs, proxyForMs }: IdleRevision): ScaleToZero {
  const go: ScaleToZero = { kind: "apply", pods: 0, because: "idle" };
  if (activity.forMs >= Math.max(graceMs, retentionMs)) return go;
  if (activity.forMs < retentionMs) {
    return { kind: "hold", want: 0, recheckMs: retentionMs - activity.forMs, because: "pod-retention" };
  }
  if (proxyForMs >= graceMs) return go;
  return { kind: "hold", want: 0, recheckMs: graceMs - proxyForMs, because: "grace-period" };
}

import { findCondition, type PodAutoscaler, parseRfc3339, type WallMs } from "@rouse/shared";

/** Whether a revision is served, and since when: the `Active` condition of its PodAutoscaler. */
export interface Activity {
  /** `activating`: pods are wanted and not enough of them are ready yet. */
  readonly kind: "active" | "activating" | "inactive";
  readonly forMs: number;
}

/** A missing condition counts as activating that has only just begun, so it never times out. K-66. */
export function activityOf(autoscaler: Pick<PodAutoscaler, "status">, now: WallMs): Activity {
  const condition = findCondition(autoscaler.status?.conditions, "Active");
  const kinds = { True: "active", False: "inactive", Unknown: "activating" } as const;
  return {
    kind: kinds[condition?.status ?? "Unknown"],
    forMs: elapsedMs(condition?.lastTransitionTime, now),
  };
}

/** Milliseconds since an API timestamp; 0 if there is none. Timestamps are whole seconds, so up to one too many. */
export function elapsedMs(timestamp: string | undefined, now: WallMs): number {
  const since = timestamp === undefined ? undefined : parseRfc3339(timestamp);
  return since === undefined ? 0 : Math.max(0, now - since);
}

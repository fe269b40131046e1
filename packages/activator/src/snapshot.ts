import type { RevisionKey } from "@rouse/shared";
import type { RevisionEntry } from "./resolve/revision-entry.ts";

/** What the activator has to do with one revision now. */
export interface RevisionSnapshot {
  readonly revision: RevisionKey;
  /** Requests that wait for a pod. */
  readonly held: number;
  /** Requests that run on one. */
  readonly inFlight: number;
  /** Usable pods, all activators' shares together. */
  readonly pods: number;
  /** Requests that may run at one time; infinite where nothing limits them. */
  readonly capacity: number;
}

export function snapshotOf({ target, retrying, throttle: { pods, held } }: RevisionEntry): RevisionSnapshot {
  return {
    revision: target.key,
    held: held + retrying.size,
    inFlight: pods.inFlight,
    pods: pods.usableCount,
    capacity: pods.capacity,
  };
}

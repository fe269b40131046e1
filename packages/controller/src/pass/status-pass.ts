import {
  type Clock,
  type Condition,
  ConditionSet,
  type EventRecorder,
  isKubeError,
  type KubeObject,
  type Pass,
  rfc3339,
  type Stored,
} from "@rouse/shared";
import { WaitingError } from "./ownership.ts";
import { isObserved } from "./readiness.ts";

interface CommonStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

/** The status being made: its conditions, and the rest as `fields`. */
export interface StatusDraft<S extends CommonStatus> {
  readonly conditions: ConditionSet;
  /** Replaced as a whole: `draft.fields = { ...draft.fields, url }`. */
  fields: S;
}

export interface StatusPassDeps {
  readonly clock: Clock;
  readonly events: EventRecorder;
}

export interface StatusPassOptions<S extends CommonStatus> {
  /** Source of the events. */
  readonly component: string;
  readonly object: Stored<KubeObject>;
  readonly before: S;
  /** Dependents of `Ready`. C-16. */
  readonly dependents: readonly string[];
  /** Acts, and says in the draft what it found. What it throws is reported once the status is written. */
  readonly run: (draft: StatusDraft<S>) => Promise<Pass>;
  /** Stores the status if it differs. */
  readonly write: (status: S) => Promise<unknown>;
}

/**
 * The frame of every pass that writes a status (C-10): Ready is doubtful while a generation is new, observedGeneration
 * follows whatever happens, the status is written even after an error, and the error is thrown afterwards.
 */
export async function statusPass<S extends CommonStatus>(
  deps: StatusPassDeps,
  options: StatusPassOptions<S>,
): Promise<Pass> {
  const { object, before, component } = options;
  const conditions = new ConditionSet("Ready", options.dependents, before.conditions);
  if (!isObserved({ metadata: object.metadata, status: before })) {
    conditions.setHappy({
      status: "Unknown",
      reason: "NewObservedGenFailure",
      message: "unsuccessfully observed a new generation",
    });
  }
  const draft: StatusDraft<S> = { conditions, fields: before };
  let outcome: { readonly pass: Pass } | { readonly error: unknown };
  try {
    outcome = { pass: await options.run(draft) };
  } catch (error) {
    outcome = { error };
  }
  try {
    await options.write({
      ...draft.fields,
      observedGeneration: object.metadata.generation,
      conditions: conditions.list(rfc3339(deps.clock.wall())),
    });
  } catch (error) {
    if (isKubeError(error, "NotFound")) return { kind: "done" }; // deleted meanwhile
    note(deps, component, object, "UpdateFailed", error);
    throw error;
  }
  if ("pass" in outcome) return outcome.pass;
  if (!isExpected(outcome.error)) note(deps, component, object, "InternalError", outcome.error);
  throw outcome.error;
}

/** Whether a pass that failed so is simply tried again: a stale cache, or something that is still to come. */
export function isExpected(error: unknown): boolean {
  return isKubeError(error, "Conflict") || error instanceof WaitingError;
}

function note(
  deps: StatusPassDeps,
  component: string,
  object: Stored<KubeObject>,
  reason: string,
  error: unknown,
): void {
  const message = error instanceof Error ? error.message : String(error);
  deps.events.record(component, object, { type: "Warning", reason, message });
}

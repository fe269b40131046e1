import { type Condition, type ConditionChange, findCondition, type StoredMeta } from "@rouse/shared";

interface WithConditions {
  readonly metadata: Pick<StoredMeta, "generation">;
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
}

/** The `Ready` condition, as last written; whether it is of the current generation is another question. */
export function readyCondition(object: WithConditions): Condition | undefined {
  return findCondition(object.status?.conditions, "Ready");
}

/** Whether the controller of `object` has seen its current spec. */
export function isObserved(object: WithConditions): boolean {
  return object.status?.observedGeneration === object.metadata.generation;
}

/** C-23. */
export function isReady(object: WithConditions): boolean {
  return isObserved(object) && readyCondition(object)?.status === "True";
}

/** C-23. */
export function hasFailed(object: WithConditions): boolean {
  return isObserved(object) && readyCondition(object)?.status === "False";
}

/** What a condition says, for another one to say the same. */
export function changeOf({ status, reason, message }: Condition): ConditionChange {
  return {
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}

import { type ObjectKey, objectRef, type RevisionKey, revisionKey } from "@rouse/shared";

/** A revision's PodAutoscaler, ServerlessService and Metric carry its name. S-3. */
export function revisionOf(key: ObjectKey): RevisionKey {
  return revisionKey(objectRef(key));
}

export function objectKeyOf(revision: RevisionKey): ObjectKey {
  return revision as string as ObjectKey;
}

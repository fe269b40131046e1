import { parseRfc3339, rfc3339, type WallMs } from "../../clock/clock.ts";
import { assert } from "../../invariant.ts";
import type { DeleteOptions } from "../client.ts";
import type { Kind, KubeObject, StoredMeta } from "../object.ts";
import { memberAt, type StoredObject } from "./stored-object.ts";

/** The collector removes these when the dependents are gone, or have been let go. P-83. */
export const FOREGROUND = "foregroundDeletion";
export const ORPHAN = "orphan";
/** Grace of a pod that names none, in seconds. P-61. */
const GRACE_SECONDS_DEFAULT = 30;

/** What a delete does to an object. */
export type Deletion =
  | { readonly kind: "nothing" }
  /** It stays, marked: somebody has to let go of it first. `status` only where marking changes it. */
  | { readonly kind: "mark"; readonly metadata: Partial<StoredMeta>; readonly status?: unknown }
  /** `last` is stored first where a graceful deletion is cut short. */
  | { readonly kind: "remove"; readonly last: Partial<StoredMeta> | undefined };

/** P-82, P-83, P-86. */
export function decideDeletion(
  kind: Kind<KubeObject>,
  object: StoredObject,
  options: DeleteOptions,
  now: WallMs,
): Deletion {
  const before = object.metadata;
  const isMarked = before.deletionTimestamp !== undefined;
  const finalizers = finalizersFor(before.finalizers ?? [], options.propagation);
  const isHeld = finalizers.length > 0 || namespaceFinalizers(kind, object) > 0;
  const graceSeconds = graceFor(kind, object, options);
  if (graceSeconds === 0 && !isHeld) {
    const isCutShort = (before.deletionGracePeriodSeconds ?? 0) > 0;
    return { kind: "remove", last: isCutShort ? { deletionGracePeriodSeconds: 0 } : undefined };
  }
  const isSame =
    isMarked &&
    graceSeconds === (before.deletionGracePeriodSeconds ?? 0) &&
    finalizers.join() === (before.finalizers ?? []).join();
  if (isSame) return { kind: "nothing" };
  return {
    kind: "mark",
    metadata: {
      finalizers,
      deletionTimestamp: isMarked
        ? shortened(before, graceSeconds)
        : rfc3339((now + graceSeconds * 1_000) as WallMs),
      // A namespace has no grace of its own: it ends when it is empty (P-91).
      ...(kind.kind === "Namespace" ? {} : { deletionGracePeriodSeconds: graceSeconds }),
      ...(isMarked ? {} : { generation: before.generation + 1 }),
    },
    ...(kind.kind === "Namespace" ? { status: { phase: "Terminating" } } : {}),
  };
}

/** Whether a write that leaves `object` like this ends it: it is marked and nobody holds it any more. P-82. */
export function isLetGo(kind: Kind<KubeObject>, object: StoredObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
  return (
    deletionTimestamp !== undefined &&
    (deletionGracePeriodSeconds ?? 0) === 0 &&
    (finalizers ?? []).length === 0 &&
    namespaceFinalizers(kind, object) === 0
  );
}

function finalizersFor(
  finalizers: readonly string[],
  propagation: DeleteOptions["propagation"],
): readonly string[] {
  if (propagation === undefined) return finalizers;
  const others = finalizers.filter((finalizer) => finalizer !== FOREGROUND && finalizer !== ORPHAN);
  switch (propagation) {
    case "Background":
      return others;
    case "Foreground":
      return [...others, FOREGROUND];
    case "Orphan":
      return [...others, ORPHAN];
  }
}

/** Only a pod on a node that may still run gets time to end; later deletes may shorten it, never lengthen it. */
function graceFor(kind: Kind<KubeObject>, object: StoredObject, options: DeleteOptions): number {
  if (kind.kind !== "Pod" || kind.group !== "") return 0;
  const { deletionTimestamp, deletionGracePeriodSeconds: current = 0 } = object.metadata;
  const asked = options.gracePeriodSeconds;
  if (deletionTimestamp !== undefined) return Math.min(atLeastOne(asked ?? current), current);
  const phase = memberAt(object, "status.phase");
  const isOnNode = Boolean(memberAt(object, "spec.nodeName")) && phase !== "Succeeded" && phase !== "Failed";
  if (!isOnNode) return 0;
  const own = memberAt(object, "spec.terminationGracePeriodSeconds");
  return atLeastOne(asked ?? (typeof own === "number" ? own : GRACE_SECONDS_DEFAULT));
}

/** The reference reads a negative grace as 1. P-61. */
function atLeastOne(seconds: number): number {
  return seconds < 0 ? 1 : seconds;
}

function shortened(before: StoredMeta, graceSeconds: number): string {
  const cutSeconds = (before.deletionGracePeriodSeconds ?? 0) - graceSeconds;
  const due = parseRfc3339(before.deletionTimestamp ?? "");
  assert(due !== undefined, "the store wrote this time itself");
  return rfc3339((due - cutSeconds * 1_000) as WallMs);
}

function namespaceFinalizers(kind: Kind<KubeObject>, object: StoredObject): number {
  const finalizers = kind.kind === "Namespace" ? memberAt(object, "spec.finalizers") : undefined;
  return Array.isArray(finalizers) ? finalizers.length : 0;
}

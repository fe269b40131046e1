import { type ObjectKey, objectKey, type Pod, type Stored } from "@rouse/shared";

/**
 * The pods of each owner, by its uid: what the watch has shown, plus what this process has just created or deleted
 * and the watch has not shown yet. Without the second part a pass that runs before the watch catches up would create
 * or delete twice.
 */
export class OwnedPods {
  readonly #shown = new Map<string, Map<ObjectKey, Stored<Pod>>>();
  readonly #created = new Map<string, Map<ObjectKey, Pod>>();
  readonly #deleted = new Map<string, Set<ObjectKey>>();

  show(pod: Stored<Pod>): string | undefined {
    const uid = ownerUid(pod);
    if (uid === undefined) return undefined;
    const key = objectKey(pod.metadata);
    inner(this.#shown, uid).set(key, pod);
    drop(this.#created, uid, key);
    if (pod.metadata.deletionTimestamp !== undefined) drop(this.#deleted, uid, key);
    return uid;
  }

  hide(pod: Stored<Pod>): string | undefined {
    const uid = ownerUid(pod);
    if (uid === undefined) return undefined;
    const key = objectKey(pod.metadata);
    drop(this.#shown, uid, key);
    drop(this.#created, uid, key);
    drop(this.#deleted, uid, key);
    return uid;
  }

  /** To be called before the API is: the watch may be faster than the answer. */
  creating(uid: string, pod: Pod): void {
    inner(this.#created, uid).set(objectKey(pod.metadata), pod);
  }

  createFailed(uid: string, pod: Pod): void {
    drop(this.#created, uid, objectKey(pod.metadata));
  }

  deleting(uid: string, key: ObjectKey): void {
    const keys = this.#deleted.get(uid) ?? new Set();
    this.#deleted.set(uid, keys.add(key));
  }

  deleteFailed(uid: string, key: ObjectKey): void {
    drop(this.#deleted, uid, key);
  }

  /** Pods that count: neither terminating, nor about to be, nor finished. */
  live(uid: string): readonly (Pod | Stored<Pod>)[] {
    const deleted = this.#deleted.get(uid);
    const shown = [...(this.#shown.get(uid)?.values() ?? [])].filter(
      (pod) =>
        pod.metadata.deletionTimestamp === undefined &&
        !isFinished(pod) &&
        deleted?.has(objectKey(pod.metadata)) !== true,
    );
    return [...shown, ...(this.#created.get(uid)?.values() ?? [])];
  }
}

function ownerUid(pod: Stored<Pod>): string | undefined {
  return pod.metadata.ownerReferences?.find(
    (reference) => reference.controller === true && reference.kind === "Deployment",
  )?.uid;
}

function isFinished(pod: Stored<Pod>): boolean {
  return pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded";
}

function inner<V>(of: Map<string, Map<ObjectKey, V>>, uid: string): Map<ObjectKey, V> {
  const found = of.get(uid) ?? new Map<ObjectKey, V>();
  of.set(uid, found);
  return found;
}

function drop(
  of: Map<string, { delete(key: ObjectKey): boolean; readonly size: number }>,
  uid: string,
  key: ObjectKey,
): void {
  const found = of.get(uid);
  found?.delete(key);
  if (found?.size === 0) of.delete(uid);
}

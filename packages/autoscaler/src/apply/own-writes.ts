import type { ObjectKey, StoredMeta } from "@rouse/shared";

/**
 * What we wrote last, until the cache has caught up. A pass that read its own past would undo it: it would take a
 * revision for running that it has just scaled to zero, and not wake it.
 */
export class OwnWrites<T extends { readonly metadata: StoredMeta }> {
  readonly #ahead = new Map<ObjectKey, T>();

  /** `key` is the owner's, as in `latest`. */
  remember(key: ObjectKey, written: T): void {
    this.#ahead.set(key, written);
  }

  forget(key: ObjectKey): void {
    this.#ahead.delete(key);
  }

  /** The newer of what is cached and what was written. An object the cache has dropped is gone. */
  latest(key: ObjectKey, cached: T | undefined): T | undefined {
    const ahead = this.#ahead.get(key);
    if (ahead === undefined) return cached;
    if (cached !== undefined && ahead.metadata.uid === cached.metadata.uid && isNewer(ahead, cached))
      return ahead;
    this.#ahead.delete(key);
    return cached;
  }
}

/** Versions of one object that are whole numbers grow; others cannot be compared, and the cache is believed. */
function isNewer(a: { readonly metadata: StoredMeta }, b: { readonly metadata: StoredMeta }): boolean {
  return Number(a.metadata.resourceVersion) > Number(b.metadata.resourceVersion);
}

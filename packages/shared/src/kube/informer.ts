import type { Clock, MonoMs } from "../clock/clock.ts";
import type { Random } from "../random.ts";
import { isKubeError, type KubeClient, type KubeError, type ListQuery, type WatchEvent } from "./client.ts";
import { type Kind, type KubeObject, type ObjectKey, objectKey, type Stored } from "./object.ts";

/** Wait before listing again after the n-th failure in a row: 100 ms doubling to 10 s, stretched by up to a half. */
const RELIST_MS_FIRST = 100;
const RELIST_MS_MAX = 10_000;
/** A watch that was open for this long was a good one: what failed before it is forgotten. */
const GOOD_WATCH_MS = 10_000;

/** Called for every change, after the cache holds it. */
export interface InformerHandler<T extends KubeObject> {
  /** `before` is absent for a new object. */
  changed(object: Stored<T>, before: Stored<T> | undefined): void;
  removed(last: Stored<T>): void;
}

export interface InformerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
}

/** Read side of an informer. */
export interface Lister<T extends KubeObject> {
  get(key: ObjectKey): Stored<T> | undefined;
  list(): Iterable<Stored<T>>;
  /** Objects carrying the label, or with that value in an index of another name, that `indexBy` made. */
  byLabel(label: string, value: string): readonly Stored<T>[];
}

/**
 * A cache of one kind that follows the API: list, then watch, and list again whenever the watch ends. Handlers see
 * each object's latest state; states in between may be skipped, deletions never are.
 */
export class Informer<T extends KubeObject> implements Lister<T>, Disposable {
  readonly #deps: InformerDeps;
  readonly #kind: Kind<T>;
  readonly #query: ListQuery;
  readonly #cache = new Map<ObjectKey, Stored<T>>();
  readonly #handlers: InformerHandler<T>[] = [];
  readonly #indexes = new Map<string, Index<T>>();
  #watch: Disposable | undefined;
  #retry: Disposable | undefined;
  #failures = 0;
  /** The watch expired, and nothing has come since: doing so again is a failure like others. */
  #hasExpired = false;
  #watchedSince: MonoMs | undefined;
  #isClosed = false;
  #isSynced = false;
  #whenSynced: (() => void)[] = [];

  constructor(deps: InformerDeps, kind: Kind<T>, query: ListQuery = {}) {
    this.#deps = deps;
    this.#kind = kind;
    this.#query = query;
  }

  /** To be called before `start`. */
  handle(handler: InformerHandler<T>): this {
    this.#handlers.push(handler);
    return this;
  }

  /** Keeps an index for `byLabel`: of a label, or of the values that `valuesOf` finds. To be called before `start`. */
  indexBy(name: string, valuesOf?: (object: Stored<T>) => Iterable<string>): this {
    const labelOf = ({ metadata }: Stored<T>): Iterable<string> => {
      const value = metadata.labels?.[name];
      return value === undefined ? [] : [value];
    };
    this.#indexes.set(name, { valuesOf: valuesOf ?? labelOf, buckets: new Map() });
    return this;
  }

  /** Begins to follow. Resolves once the first list is in the cache and its handlers have run. */
  async start(): Promise<void> {
    const synced = new Promise<void>((resolve) => this.#whenSynced.push(resolve));
    void this.#relist();
    await synced;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  get(key: ObjectKey): Stored<T> | undefined {
    return this.#cache.get(key);
  }

  list(): Iterable<Stored<T>> {
    return this.#cache.values();
  }

  get size(): number {
    return this.#cache.size;
  }

  byLabel(label: string, value: string): readonly Stored<T>[] {
    const found = this.#indexes.get(label)?.buckets.get(value);
    return found === undefined ? [] : [...found.values()];
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#watch?.[Symbol.dispose]();
    this.#retry?.[Symbol.dispose]();
    for (const resolve of this.#whenSynced.splice(0)) resolve();
  }

  async #relist(): Promise<void> {
    try {
      const { items, resourceVersion } = await this.#deps.client.list(this.#kind, this.#query);
      if (this.#isClosed) return;
      this.#replace(items);
      this.#isSynced = true;
      for (const resolve of this.#whenSynced.splice(0)) resolve();
      this.#watchedSince = this.#deps.clock.now();
      this.#watch = this.#deps.client.watch(
        this.#kind,
        { ...this.#query, resourceVersion },
        {
          event: (event) => this.#apply(event),
          closed: (reason) => this.#rewatch(reason),
        },
      );
    } catch (error) {
      this.#rewatch(error);
    }
  }

  #rewatch(reason: KubeError | unknown): void {
    if (this.#isClosed) return;
    const { clock, random } = this.#deps;
    const since = this.#watchedSince;
    this.#watchedSince = undefined;
    if (since !== undefined && clock.now() - since >= GOOD_WATCH_MS) this.#isWell();
    const isNew = isKubeError(reason, "Expired") && !this.#hasExpired;
    let delayMs = 0; // what is no longer kept is listed anew at once
    if (isNew) this.#hasExpired = true;
    else {
      delayMs = Math.min(RELIST_MS_FIRST * 2 ** this.#failures, RELIST_MS_MAX) * (1 + random.next() / 2);
      this.#failures = Math.min(this.#failures + 1, 16);
    }
    this.#retry = clock.after(delayMs, () => void this.#relist());
  }

  #replace(items: readonly Stored<T>[]): void {
    const gone = new Map(this.#cache);
    for (const item of items) {
      const key = objectKey(item.metadata);
      const before = gone.get(key);
      gone.delete(key);
      if (before?.metadata.resourceVersion !== item.metadata.resourceVersion) this.#put(item);
    }
    for (const last of gone.values()) this.#drop(last);
  }

  #isWell(): void {
    this.#failures = 0;
    this.#hasExpired = false;
  }

  #apply(event: WatchEvent<T>): void {
    this.#isWell();
    switch (event.type) {
      case "ADDED":
      case "MODIFIED":
        this.#put(event.object);
        break;
      case "DELETED":
        this.#drop(event.object);
        break;
      case "BOOKMARK":
        break;
    }
  }

  #put(object: Stored<T>): void {
    const key = objectKey(object.metadata);
    let before = this.#cache.get(key);
    if (before !== undefined && before.metadata.uid !== object.metadata.uid) {
      this.#drop(before); // its deletion was missed; what has the name now is another object
      before = undefined;
    }
    if (before !== undefined) this.#unindex(before);
    this.#cache.set(key, object);
    this.#index(object);
    for (const handler of this.#handlers) handler.changed(object, before);
  }

  #drop(last: Stored<T>): void {
    const key = objectKey(last.metadata);
    const before = this.#cache.get(key);
    if (before === undefined) return;
    this.#unindex(before);
    this.#cache.delete(key);
    for (const handler of this.#handlers) handler.removed(last);
  }

  #index(object: Stored<T>): void {
    for (const { valuesOf, buckets } of this.#indexes.values()) {
      for (const value of valuesOf(object)) {
        const bucket = buckets.get(value) ?? new Map<ObjectKey, Stored<T>>();
        buckets.set(value, bucket);
        bucket.set(objectKey(object.metadata), object);
      }
    }
  }

  #unindex(object: Stored<T>): void {
    for (const { valuesOf, buckets } of this.#indexes.values()) {
      for (const value of valuesOf(object)) {
        const bucket = buckets.get(value);
        bucket?.delete(objectKey(object.metadata));
        if (bucket?.size === 0) buckets.delete(value);
      }
    }
  }
}

interface Index<T extends KubeObject> {
  readonly valuesOf: (object: Stored<T>) => Iterable<string>;
  readonly buckets: Map<string, Map<ObjectKey, Stored<T>>>;
}

import type { Clock } from "../../clock/clock.ts";
import {
  type DeleteOptions,
  type KubeClient,
  KubeError,
  type ListQuery,
  type ObjectList,
  type Patch,
  type Subresource,
  type WatchSink,
} from "../client.ts";
import type { Kind, KubeObject, ObjectRef, Stored } from "../object.ts";
import type { ObjectStore } from "./object-store.ts";
import { StoreWatch } from "./store-watch.ts";
import type { StoredObject } from "./stored-object.ts";

/**
 * The Kubernetes API on an object store in the same process. A call takes effect before it returns its promise; a
 * watch hears of a change as soon as the code that made it has returned.
 */
export class InProcessKubeClient implements KubeClient {
  readonly #store: ObjectStore;
  readonly #clock: Pick<Clock, "soon">;

  constructor(deps: { readonly store: ObjectStore; readonly clock: Pick<Clock, "soon"> }) {
    this.#store = deps.store;
    this.#clock = deps.clock;
  }

  async get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<Stored<T>> {
    return typed(kind, this.#store.get(kind, ref));
  }

  async list<T extends KubeObject>(kind: Kind<T>, query: ListQuery = {}): Promise<ObjectList<T>> {
    const items = this.#store.list(kind, query).map((object) => typed(kind, object));
    return { items, resourceVersion: this.#store.resourceVersion };
  }

  watch<T extends KubeObject>(
    kind: Kind<T>,
    query: ListQuery & { readonly resourceVersion: string },
    sink: WatchSink<T>,
  ): Disposable {
    try {
      return new StoreWatch({ store: this.#store, clock: this.#clock }, kind, query, {
        event: (type, object) => sink.event({ type, object: typed(kind, object) }),
        closed: (reason) => sink.closed(reason),
      });
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      this.#clock.soon(() => sink.closed(error)); // as it would come from a server
      return { [Symbol.dispose]: () => {} };
    }
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>> {
    return typed(kind, this.#store.create(kind, object));
  }

  async update<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>> {
    return typed(kind, this.#store.update(kind, object));
  }

  async updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>> {
    return typed(kind, this.#store.update(kind, object, "status"));
  }

  async patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    patch: Patch,
    subresource?: Subresource,
  ): Promise<Stored<T>> {
    return typed(kind, this.#store.patch(kind, ref, patch, subresource));
  }

  async delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options?: DeleteOptions): Promise<void> {
    this.#store.delete(kind, ref, options);
  }
}

/** A kind's table holds objects of that kind alone; that they have its shape is what admission sees to. */
function typed<T extends KubeObject>(_kind: Kind<T>, object: StoredObject): Stored<T> {
  return object as unknown as Stored<T>;
}

import type { Clock } from "../../clock/clock.ts";
import { NamespaceKind } from "../kinds/core.ts";
import type { ObjectStore } from "./object-store.ts";

/**
 * Empties namespaces that are being deleted, and ends them once they are empty. P-91. As the garbage collector it
 * hears of every change and writes soon after.
 */
export class NamespaceCleaner implements Disposable {
  readonly #store: ObjectStore;
  readonly #clock: Pick<Clock, "soon">;
  readonly #observation: Disposable;
  readonly #ending = new Set<string>();
  #isScheduled = false;
  #isClosed = false;

  constructor(deps: { readonly store: ObjectStore; readonly clock: Pick<Clock, "soon"> }) {
    this.#store = deps.store;
    this.#clock = deps.clock;
    for (const { metadata } of this.#store.list(NamespaceKind)) {
      if (metadata.deletionTimestamp !== undefined) this.#ending.add(metadata.name);
    }
    this.#observation = this.#store.observe((kind, { type, object }) => {
      const { name, namespace, deletionTimestamp } = object.metadata;
      if (kind.plural === NamespaceKind.plural && kind.group === "") {
        if (type === "DELETED") this.#ending.delete(name);
        else if (deletionTimestamp !== undefined) this.#ending.add(name);
      }
      if (this.#ending.has(kind.isNamespaced ? namespace : name)) this.#schedule();
    });
    if (this.#ending.size > 0) this.#schedule();
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#observation[Symbol.dispose]();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.soon(() => {
      this.#isScheduled = false;
      for (const name of [...this.#ending]) if (!this.#isClosed) this.#clean(name);
    });
  }

  #clean(namespace: string): void {
    let left = 0;
    for (const kind of this.#store.kinds) {
      if (!kind.isNamespaced) continue;
      for (const { metadata } of this.#store.list(kind, { namespace })) {
        const { name, deletionTimestamp } = metadata;
        if (deletionTimestamp === undefined) {
          this.#store.delete(kind, { namespace, name }, { propagation: "Background" });
        }
        if (this.#store.find(kind, { namespace, name }) !== undefined) left++;
      }
    }
    const ref = { namespace: "", name: namespace };
    if (left > 0 || this.#store.find(NamespaceKind, ref) === undefined) return;
    this.#store.patch(NamespaceKind, ref, { kind: "merge", body: { spec: { finalizers: [] } } });
  }
}

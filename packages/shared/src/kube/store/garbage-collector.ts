import type { Clock } from "../../clock/clock.ts";
import { type Logger, silentLogger } from "../../log/logger.ts";
import { KubeError } from "../client.ts";
import { resourceName } from "../kinds/registry.ts";
import type { Kind, KubeObject, ObjectKey, OwnerReference } from "../object.ts";
import { objectKey, objectRef } from "../object.ts";
import { FOREGROUND, ORPHAN } from "./deletion.ts";
import type { ObjectStore } from "./object-store.ts";
import type { StoredObject } from "./stored-object.ts";

/** Where an object is, whether or not it still is. */
interface Place {
  readonly kind: Kind<KubeObject>;
  readonly key: ObjectKey;
}

export interface GarbageCollectorDeps {
  readonly store: ObjectStore;
  readonly clock: Pick<Clock, "soonInBulk">;
  readonly log?: Logger;
}

/** Objects looked at before other code gets its turn. */
const BATCH_MAX = 32;
/** Owners looked through for a cycle; more than any chain of ours, which is about six long. */
const ANCESTORS_MAX = 1_000;

/**
 * Deletes what nobody owns any more, and sees foreground and orphan deletions through. P-83, P-84. Works beside the
 * store: it hears of every change and writes like any client, soon after. Each look at an object writes at most what
 * brings it one step on, and the change it makes brings the next look.
 */
export class GarbageCollector implements Disposable {
  readonly #store: ObjectStore;
  readonly #clock: Pick<Clock, "soonInBulk">;
  readonly #log: Logger;
  readonly #observation: Disposable;
  /** By uid of an owner, those that refer to it: places by their text. */
  readonly #dependents = new Map<string, Map<string, Place>>();
  readonly #queue = new Map<string, Place>();
  #isScheduled = false;
  #isClosed = false;

  constructor(deps: GarbageCollectorDeps) {
    this.#store = deps.store;
    this.#clock = deps.clock;
    this.#log = deps.log ?? silentLogger;
    for (const kind of this.#store.kinds) {
      for (const object of this.#store.list(kind)) this.#changed(kind, object, undefined);
    }
    this.#observation = this.#store.observe((kind, { type, object, before }) => {
      if (type === "DELETED") this.#deleted(kind, object);
      else this.#changed(kind, object, before);
    });
  }

  /** Ends collecting: what is queued is found again by the next collector. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#observation[Symbol.dispose]();
  }

  #changed(kind: Kind<KubeObject>, object: StoredObject, before: StoredObject | undefined): void {
    const place: Place = { kind, key: objectKey(object.metadata) };
    const owners = object.metadata.ownerReferences;
    if (before?.metadata.ownerReferences !== owners) {
      for (const { uid } of before?.metadata.ownerReferences ?? []) this.#unlink(uid, place);
      for (const { uid } of owners ?? []) this.#link(uid, place);
    }
    if (isOrphaning(object) || isForeground(object) || before?.metadata.ownerReferences !== owners) {
      this.#enqueue(place);
    }
  }

  #deleted(kind: Kind<KubeObject>, last: StoredObject): void {
    const place: Place = { kind, key: objectKey(last.metadata) };
    for (const { uid, ...owner } of last.metadata.ownerReferences ?? []) {
      this.#unlink(uid, place);
      // An owner being deleted in the foreground may have waited for this one.
      const ownerPlace = this.#placeOf(last, owner);
      if (ownerPlace !== undefined) this.#enqueue(ownerPlace);
    }
    for (const dependent of this.#dependents.get(last.metadata.uid)?.values() ?? []) this.#enqueue(dependent);
  }

  #enqueue(place: Place): void {
    this.#queue.set(textOf(place), place);
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    this.#clock.soonInBulk(() => {
      this.#isScheduled = false;
      this.#run();
    });
  }

  #run(): void {
    let looked = 0;
    for (const [text, place] of this.#queue) {
      if (this.#isClosed) return;
      if (looked++ === BATCH_MAX) {
        this.#enqueue(place);
        return;
      }
      this.#queue.delete(text);
      this.#look(place);
    }
  }

  #look({ kind, key }: Place): void {
    const object = this.#store.find(kind, objectRef(key));
    if (object === undefined) return;
    try {
      if (isOrphaning(object)) this.#letDependentsGo(kind, object);
      else if (isForeground(object)) this.#endForeground(kind, object);
      else if (object.metadata.deletionTimestamp === undefined) this.#checkOwners(kind, object);
    } catch (error) {
      // A write that is refused now would be refused again: the object's next change brings the next look.
      if (!(error instanceof KubeError)) throw error;
      this.#log.warn("garbage collector could not write", {
        object: `${kind.plural} ${key}`,
        error: error.message,
      });
    }
  }

  /** Deletes an object whose owners are all gone; prunes the gone ones where one is left. */
  #checkOwners(kind: Kind<KubeObject>, object: StoredObject): void {
    const owners = object.metadata.ownerReferences ?? [];
    if (owners.length === 0) return;
    const solid = owners.filter((owner) => this.#isAlive(object, owner));
    const waiting = owners.filter((owner) => this.#isWaiting(object, owner));
    const staying = solid.filter((owner) => !waiting.includes(owner));
    if (staying.length > 0) {
      if (staying.length < owners.length) this.#setOwners(kind, object, staying);
      return;
    }
    const hasDependents = (this.#dependents.get(object.metadata.uid)?.size ?? 0) > 0;
    const { uid } = object.metadata;
    const propagation = waiting.length > 0 && hasDependents ? "Foreground" : "Background";
    this.#store.delete(kind, refOf(object), { propagation, uid });
  }

  /** The owner waits for those that block it, but not for one that in turn waits for the owner. */
  #endForeground(kind: Kind<KubeObject>, owner: StoredObject): void {
    const dependents = this.#dependentsOf(owner);
    let isBlocked = false;
    for (const { place, object } of dependents) {
      if (object.metadata.deletionTimestamp === undefined) this.#look(place);
      const left = this.#store.find(place.kind, objectRef(place.key));
      const blocks = left?.metadata.ownerReferences?.some(
        ({ uid, blockOwnerDeletion }) => uid === owner.metadata.uid && blockOwnerDeletion === true,
      );
      if (left !== undefined && blocks && !this.#isAncestor(left, owner)) isBlocked = true;
    }
    if (!isBlocked) this.#removeFinalizer(kind, owner, FOREGROUND);
  }

  #letDependentsGo(kind: Kind<KubeObject>, owner: StoredObject): void {
    for (const { place, object } of this.#dependentsOf(owner)) {
      const others = object.metadata.ownerReferences?.filter(({ uid }) => uid !== owner.metadata.uid) ?? [];
      this.#setOwners(place.kind, object, others);
    }
    this.#removeFinalizer(kind, owner, ORPHAN);
  }

  #setOwners(kind: Kind<KubeObject>, object: StoredObject, ownerReferences: readonly OwnerReference[]): void {
    this.#store.patch(kind, refOf(object), { kind: "merge", body: { metadata: { ownerReferences } } });
  }

  #removeFinalizer(kind: Kind<KubeObject>, object: StoredObject, name: string): void {
    const finalizers = (object.metadata.finalizers ?? []).filter((finalizer) => finalizer !== name);
    this.#store.patch(kind, refOf(object), { kind: "merge", body: { metadata: { finalizers } } });
  }

  #dependentsOf(owner: StoredObject): readonly { place: Place; object: StoredObject }[] {
    return [...(this.#dependents.get(owner.metadata.uid)?.values() ?? [])].flatMap((place) => {
      const object = this.#store.find(place.kind, objectRef(place.key));
      return object === undefined ? [] : [{ place, object }];
    });
  }

  #ownerOf(dependent: StoredObject, reference: OwnerReference): StoredObject | undefined {
    const place = this.#placeOf(dependent, reference);
    const owner = place === undefined ? undefined : this.#store.find(place.kind, objectRef(place.key));
    return owner?.metadata.uid === reference.uid ? owner : undefined;
  }

  /** An owner of a kind unknown here may well live elsewhere. */
  #isAlive(dependent: StoredObject, reference: OwnerReference): boolean {
    return this.#store.kinds.of(reference) === undefined || this.#ownerOf(dependent, reference) !== undefined;
  }

  #isWaiting(dependent: StoredObject, reference: OwnerReference): boolean {
    const owner = this.#ownerOf(dependent, reference);
    return owner !== undefined && isForeground(owner);
  }

  #isAncestor(candidate: StoredObject, of: StoredObject): boolean {
    const seen = new Set<string>();
    const rest = [of];
    for (let next = rest.pop(); next !== undefined && seen.size < ANCESTORS_MAX; next = rest.pop()) {
      for (const reference of next.metadata.ownerReferences ?? []) {
        if (reference.uid === candidate.metadata.uid) return true;
        const owner = this.#ownerOf(next, reference);
        if (owner === undefined || seen.has(reference.uid)) continue;
        seen.add(reference.uid);
        rest.push(owner);
      }
    }
    return false;
  }

  /** In the namespace of the dependent, or in none for kinds of none. */
  #placeOf(dependent: StoredObject, owner: Omit<OwnerReference, "uid">): Place | undefined {
    const kind = this.#store.kinds.of(owner);
    if (kind === undefined) return undefined;
    const namespace = kind.isNamespaced ? dependent.metadata.namespace : "";
    return { kind, key: objectKey({ namespace, name: owner.name }) };
  }

  #link(uid: string, place: Place): void {
    const places = this.#dependents.get(uid) ?? new Map<string, Place>();
    this.#dependents.set(uid, places.set(textOf(place), place));
  }

  #unlink(uid: string, place: Place): void {
    const places = this.#dependents.get(uid);
    if (places?.delete(textOf(place)) && places.size === 0) this.#dependents.delete(uid);
  }
}

function isForeground({ metadata }: StoredObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(FOREGROUND);
}

function isOrphaning({ metadata }: StoredObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(ORPHAN);
}

function refOf({ metadata: { namespace, name } }: StoredObject): { namespace: string; name: string } {
  return { namespace, name };
}

function textOf({ kind, key }: Place): string {
  return `${resourceName(kind)} ${key}`;
}

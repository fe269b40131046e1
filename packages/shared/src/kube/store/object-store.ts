import type { WallMs } from "../../clock/clock.ts";
import { unreachable } from "../../invariant.ts";
import type { Random } from "../../random.ts";
import type { DeleteOptions, ListQuery, Patch, Subresource } from "../client.ts";
import { NamespaceKind } from "../kinds/core.ts";
import { KindRegistry } from "../kinds/registry.ts";
import { type Kind, type KubeObject, type ManagedFields, type ObjectRef, objectKey } from "../object.ts";
import { type AdmissionRequest, admitAll, type ObjectAdmission } from "./admission.ts";
import { shapeNew } from "./built-in-shape.ts";
import { decideDeletion, isLetGo } from "./deletion.ts";
import * as errors from "./errors.ts";
import { FrozenCopies, isSameJson } from "./frozen-copy.ts";
import type { History } from "./history.ts";
import { type Journal, type JournalRecord, noJournal } from "./journal.ts";
import { changedMetadata, generatedName, type MetadataDraft, newMetadata, uuidV4 } from "./metadata.ts";
import { checkDeletable, INITIAL_NAMESPACES, namespaceForNew } from "./namespaces.ts";
import { applyPatch, applyScalePatch } from "./patch.ts";
import { compileQuery } from "./query.ts";
import { type AnyObject, type StoredObject, withMetadata } from "./stored-object.ts";
import { type ChangeListener, type Table, Tables } from "./tables.ts";
import * as check from "./validate.ts";

/** Changes kept of each kind for watches that come back; beyond them they list again. P-115 */
const CHANGES_MAX = 10_000;
/** P-44. */
const GENERATED_NAME_TRIES = 8;

type AnyKind = Kind<KubeObject>;

export interface ObjectStoreDeps {
  readonly wall: () => WallMs;
  /** For uids and generated names. */
  readonly random: Random;
  readonly admission?: ObjectAdmission;
  readonly journal?: Journal;
}

export interface ObjectStoreOptions {
  readonly kinds?: KindRegistry;
  readonly changesMax?: number;
  /** Namespaces that exist from the start, beside `default` and the system's own. */
  readonly namespaces?: readonly string[];
  /** What a journal kept, oldest first. */
  readonly restored?: Iterable<JournalRecord>;
}

/** How one write differs from the others. */
export interface WriteOptions {
  /** Everything is decided and checked, nothing is stored (P-95). */
  readonly isDryRun?: boolean;
  /** Comes before the store's own: what is known of the kinds only where a client is not of this program. */
  readonly admission?: ObjectAdmission;
  /** Who owns what of the object that is about to be stored. Absent: that stays as it is. */
  readonly managedFields?: (
    next: StoredObject,
    before: StoredObject | undefined,
  ) => readonly ManagedFields[] | undefined;
}

/**
 * Objects with Kubernetes' semantics, in memory. Writes are synchronous and so serialised; each stored change gets one
 * version from one counter and one event (P-98). What goes out is frozen and shared. What else has to be deleted with
 * an object is decided beside it: `GarbageCollector`, `NamespaceCleaner`.
 * Every method throws `KubeError` with the reference's reason and text.
 */
export class ObjectStore {
  readonly kinds: KindRegistry;
  readonly #wall: () => WallMs;
  readonly #random: Random;
  readonly #admission: ObjectAdmission;
  readonly #copies = new FrozenCopies();
  readonly #tables: Tables;

  constructor(deps: ObjectStoreDeps, options: ObjectStoreOptions = {}) {
    this.#wall = deps.wall;
    this.#random = deps.random;
    this.#admission = deps.admission ?? admitAll;
    this.kinds = options.kinds ?? new KindRegistry();
    const { changesMax = CHANGES_MAX, restored = [], namespaces = [] } = options;
    const { journal = noJournal } = deps;
    this.#tables = new Tables({ kinds: this.kinds, copies: this.#copies, journal }, { changesMax, restored });
    for (const name of new Set([...INITIAL_NAMESPACES, ...namespaces])) {
      if (this.find(NamespaceKind, { namespace: "", name }) !== undefined) continue;
      this.create(NamespaceKind, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    }
  }

  /** Version of the latest stored change. */
  get resourceVersion(): string {
    return String(this.#tables.version);
  }

  get(kind: AnyKind, ref: ObjectRef): StoredObject {
    const found = this.find(kind, ref);
    if (found === undefined) throw errors.notFound(kind, ref.name);
    return found;
  }

  find(kind: AnyKind, { namespace, name }: ObjectRef): StoredObject | undefined {
    return this.#tables.of(kind).objects.get(objectKey(kind.isNamespaced ? { namespace, name } : { name }));
  }

  /** Sorted by namespace, then name. P-100 */
  list(kind: AnyKind, query: ListQuery = {}): readonly StoredObject[] {
    const matches = compileQuery(kind, query);
    const items = [...this.#tables.of(kind).objects.values()].filter(matches);
    return items.sort(byNamespaceAndName);
  }

  /** The latest changes of one kind, for watches. */
  history(kind: AnyKind): History {
    return this.#tables.of(kind).history;
  }

  /** Calls `listener` for every change of any kind from now on. */
  observe(listener: ChangeListener): Disposable {
    return this.#tables.observe(listener);
  }

  create(kind: AnyKind, sent: AnyObject, options: WriteOptions = {}): StoredObject {
    const table = this.#tables.of(kind);
    const object = this.#copies.of(check.checkIdentity(kind, sent));
    if (object.metadata.resourceVersion) {
      throw errors.badRequest("resourceVersion should not be set on objects to be created");
    }
    const namespace = namespaceForNew(kind, object, (name) =>
      this.get(NamespaceKind, { namespace: "", name }),
    );
    const { generateName } = object.metadata;
    const name = object.metadata.name || (generateName ? this.#freeName(table, namespace, generateName) : "");
    const made = { name, namespace, uid: uuidV4(this.#random), at: this.#wall() };
    const metadata = newMetadata(object.metadata, made);
    const { status: _, ...withoutStatus } = object;
    const draft = shapeNew(kind, { ...(kind.hasStatus ? withoutStatus : object), metadata });
    const admitted = this.#admit(
      { operation: "create", subresource: undefined, kind, object: draft, before: undefined },
      metadata,
      options,
    );
    const next = this.#owned(admitted, undefined, options);
    check.checkMetadata(kind, next, undefined);
    if (table.objects.has(objectKey(next.metadata))) throw errors.alreadyExists(kind, name);
    return options.isDryRun === true ? next : this.#tables.put(table, next, undefined);
  }

  /** Replaces all but the status, or with `status` only that. */
  update(kind: AnyKind, sent: AnyObject, subresource?: "status", options: WriteOptions = {}): StoredObject {
    const table = this.#tables.of(kind);
    if (subresource === "status" && !kind.hasStatus) throw errors.noSuchResource();
    const object = this.#copies.of(check.checkIdentity(kind, sent));
    const { name, namespace = "" } = object.metadata;
    const before = this.get(kind, { name, namespace });
    check.checkVersion(kind, object, before);
    return this.#replace(table, before, object, { subresource, ...options });
  }

  /** Of `scale`, the result is the scaled object itself. */
  patch(kind: AnyKind, ref: ObjectRef, patch: Patch, subresource?: Subresource): StoredObject {
    if (subresource === "scale")
      return this.modify(kind, ref, (before) => applyScalePatch(kind, before, patch));
    return this.modify(kind, ref, (before) => applyPatch(kind, before, patch), { subresource });
  }

  /** Replaces an object by what `change` makes of the one that is stored, in one step. */
  modify(
    kind: AnyKind,
    ref: ObjectRef,
    change: (before: StoredObject) => AnyObject,
    options: WriteOptions & { readonly subresource?: "status" | undefined } = {},
  ): StoredObject {
    const table = this.#tables.of(kind);
    if (options.subresource === "status" && !kind.hasStatus) throw errors.noSuchResource();
    const before = this.get(kind, ref);
    const changed = check.checkIdentity(kind, this.#copies.of(change(before)));
    return this.#replace(table, before, changed, options);
  }

  /** What is left of the object: its last state when it is gone, else the object marked for deletion. P-80 */
  delete(
    kind: AnyKind,
    ref: ObjectRef,
    options: DeleteOptions & Pick<WriteOptions, "isDryRun"> = {},
  ): StoredObject {
    const table = this.#tables.of(kind);
    const before = this.get(kind, ref);
    check.checkPreconditions(kind, before, options);
    checkDeletable(kind, ref.name);
    const deletion = decideDeletion(kind, before, options, this.#wall());
    if (options.isDryRun === true) {
      return deletion.kind === "mark" ? this.#copies.of(withMetadata(before, deletion.metadata)) : before;
    }
    switch (deletion.kind) {
      case "nothing":
        return before;
      case "mark": {
        const status = deletion.status === undefined ? {} : { status: deletion.status };
        return this.#tables.put(table, withMetadata({ ...before, ...status }, deletion.metadata), before);
      }
      case "remove":
        return this.#tables.remove(
          table,
          deletion.last === undefined
            ? before
            : this.#tables.put(table, withMetadata(before, deletion.last), before),
        );
      default:
        return unreachable(deletion);
    }
  }

  #replace(
    table: Table,
    before: StoredObject,
    object: AnyObject,
    options: WriteOptions & { readonly subresource?: "status" | undefined },
  ): StoredObject {
    const { kind } = table;
    const { subresource } = options;
    const metadata = changedMetadata(before.metadata, object.metadata);
    const draft: AnyObject =
      subresource === "status"
        ? { ...before, status: object.status }
        : { ...object, metadata, ...(kind.hasStatus ? { status: before.status } : {}) };
    const admitted = this.#admit(
      { operation: "update", subresource, kind, object: draft, before },
      before.metadata,
      options,
    );
    const isChanged = subresource === undefined && !check.isSameSpec(admitted, before);
    const changed = isChanged
      ? this.#copies.of(withMetadata(admitted, { generation: before.metadata.generation + 1 }))
      : admitted;
    const next = this.#owned(changed, before, options);
    if (isSameJson(next, before)) return before;
    check.checkMetadata(kind, next, before);
    check.checkFinalizers(kind, next, before);
    if (options.isDryRun === true) return next;
    if (!isLetGo(kind, next)) return this.#tables.put(table, next, before);
    this.#tables.remove(table, before);
    return next;
  }

  /** What admission makes of an object; metadata that only the server writes stays as it was. */
  #admit(request: AdmissionRequest, owned: MetadataDraft, { admission }: WriteOptions): StoredObject {
    const object = admission === undefined ? request.object : admission.admit(request);
    const admitted = this.#admission.admit({ ...request, object });
    const resourceVersion = request.before?.metadata.resourceVersion ?? "";
    const metadata = { ...changedMetadata(owned, admitted.metadata), resourceVersion };
    return this.#copies.of({ ...admitted, metadata });
  }

  #owned(next: StoredObject, before: StoredObject | undefined, options: WriteOptions): StoredObject {
    const managedFields = options.managedFields?.(next, before);
    if (managedFields === undefined || managedFields === next.metadata.managedFields) return next;
    return this.#copies.of(withMetadata(next, { managedFields }));
  }

  #freeName(table: Table, namespace: string, prefix: string): string {
    let name = generatedName(prefix, this.#random);
    for (let tries = 1; tries < GENERATED_NAME_TRIES; tries++) {
      if (!table.objects.has(objectKey({ namespace, name }))) break;
      name = generatedName(prefix, this.#random);
    }
    return name;
  }
}

function byNamespaceAndName({ metadata: a }: StoredObject, { metadata: b }: StoredObject): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

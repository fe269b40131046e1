import { type KindRegistry, resourceName } from "../kinds/registry.ts";
import { apiVersion, type Kind, type KubeObject, type ObjectKey, objectKey } from "../object.ts";
import * as errors from "./errors.ts";
import type { FrozenCopies } from "./frozen-copy.ts";
import { type Change, History } from "./history.ts";
import type { Journal, JournalRecord } from "./journal.ts";
import { type StoredObject, withMetadata } from "./stored-object.ts";

/** The objects of one kind and their latest changes. */
export interface Table {
  readonly kind: Kind<KubeObject>;
  readonly objects: Map<ObjectKey, StoredObject>;
  readonly history: History;
}

/** Told of every stored change, in order, while the write that made it is still running. Must not write. */
export type ChangeListener = (kind: Kind<KubeObject>, change: Change) => void;

export interface TablesDeps {
  readonly kinds: KindRegistry;
  readonly copies: FrozenCopies;
  readonly journal: Journal;
}

/** Where the counter of versions starts: 0 and 1 are of no change, and older than everything there is (P-49). */
const VERSION_FIRST = 2;
/** Left out after a restore: changes lost with a torn journal may have had these versions (P-98). */
const VERSION_GAP = 100_000;

/**
 * All that is stored: a table per kind and one counter of versions over all of them. What is to be stored has been
 * decided on; it goes to the journal, the table, its history and those who listen, in this order, or nowhere.
 */
export class Tables {
  readonly #copies: FrozenCopies;
  readonly #journal: Journal;
  readonly #byResource: ReadonlyMap<string, Table>;
  readonly #listeners = new Set<ChangeListener>();
  #version: number;

  /** @param options.restored what a journal kept, oldest first */
  constructor(
    deps: TablesDeps,
    options: { readonly changesMax: number; readonly restored: Iterable<JournalRecord> },
  ) {
    this.#copies = deps.copies;
    this.#journal = deps.journal;
    const { changesMax, restored } = options;
    const opened = openTables(deps.kinds, { changesMax, restored: this.#frozen(restored) });
    this.#byResource = opened.tables;
    this.#version = opened.version;
  }

  /** Of the latest stored change. */
  get version(): number {
    return this.#version;
  }

  /** @throws KubeError of a kind nobody knows */
  of(kind: Kind<KubeObject>): Table {
    const table = this.#byResource.get(resourceName(kind));
    if (table === undefined) throw errors.noSuchResource();
    return table;
  }

  observe(listener: ChangeListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** @param before the state it replaces; absent for a new one. @returns it with its version */
  put(table: Table, object: StoredObject, before: StoredObject | undefined): StoredObject {
    const stored = this.#nextVersion(object);
    this.#journal.append({ type: "put", object: stored });
    table.objects.set(objectKey(stored.metadata), stored);
    this.#publish(table, { type: before === undefined ? "ADDED" : "MODIFIED", object: stored, before });
    return stored;
  }

  /** @returns its last state, with the version of its end */
  remove(table: Table, before: StoredObject): StoredObject {
    const last = this.#nextVersion(before);
    const { namespace, name, resourceVersion } = last.metadata;
    const { kind } = table;
    this.#journal.append({
      type: "delete",
      apiVersion: apiVersion(kind),
      kind: kind.kind,
      namespace,
      name,
      resourceVersion,
    });
    table.objects.delete(objectKey(last.metadata));
    this.#publish(table, { type: "DELETED", object: last, before });
    return last;
  }

  /** `object` as the next change would store it. The version is used up only when that change is published. */
  #nextVersion(object: StoredObject): StoredObject {
    return this.#copies.of(withMetadata(object, { resourceVersion: String(this.#version + 1) }));
  }

  #publish(table: Table, change: Omit<Change, "version">): void {
    const versioned = { ...change, version: ++this.#version };
    table.history.append(versioned);
    for (const listener of this.#listeners) listener(table.kind, versioned);
  }

  *#frozen(records: Iterable<JournalRecord>): Generator<JournalRecord> {
    for (const record of records) {
      yield record.type === "put" ? { type: "put", object: this.#copies.of(record.object) } : record;
    }
  }
}

/** One table per kind, by resource name, filled with what a journal kept; `version` is where to count on from. */
function openTables(
  kinds: KindRegistry,
  options: { readonly changesMax: number; readonly restored: Iterable<JournalRecord> },
): { readonly tables: ReadonlyMap<string, Table>; readonly version: number } {
  const objects = new Map<Kind<KubeObject>, Map<ObjectKey, StoredObject>>();
  for (const kind of kinds) objects.set(kind, new Map());
  let latest = 0;
  for (const record of options.restored) {
    latest = Math.max(latest, Number(versionOf(record)));
    if (record.type === "version") continue;
    const kind = kinds.of(record.type === "put" ? record.object : record);
    const kept = kind === undefined ? undefined : objects.get(kind);
    if (record.type === "put") kept?.set(objectKey(record.object.metadata), record.object);
    else kept?.delete(objectKey(record));
  }
  const version = latest === 0 ? VERSION_FIRST : latest + VERSION_GAP;
  const tables = new Map<string, Table>();
  for (const [kind, kept] of objects) {
    const history = new History(options.changesMax, version);
    tables.set(resourceName(kind), { kind, objects: kept, history });
  }
  return { tables, version };
}

function versionOf(record: JournalRecord): string {
  return record.type === "put" ? record.object.metadata.resourceVersion : record.resourceVersion;
}

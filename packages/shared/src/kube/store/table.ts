import { type KindRegistry, resourceName } from "../kinds/registry.ts";
import { type Kind, type KubeObject, type ObjectKey, objectKey } from "../object.ts";
import { History } from "./history.ts";
import type { JournalRecord } from "./journal.ts";
import type { StoredObject } from "./stored-object.ts";

/** The objects of one kind and their latest changes. */
export interface Table {
  readonly kind: Kind<KubeObject>;
  readonly objects: Map<ObjectKey, StoredObject>;
  readonly history: History;
}

/** Where the counter of versions starts: 0 and 1 are of no change, and older than everything there is (P-49). */
const VERSION_FIRST = 2;
/** Left out after a restore: changes lost with a torn journal may have had these versions (P-98). */
const VERSION_GAP = 100_000;

/** One table per kind, by resource name, filled with what a journal kept; `version` is where to count on from. */
export function openTables(
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

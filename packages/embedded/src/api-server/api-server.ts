import { join } from "node:path";
import {
  type Clock,
  EndpointsKind,
  EventKind,
  GarbageCollector,
  InProcessKubeClient,
  type Journal,
  type JournalRecord,
  type KubeClient,
  type Logger,
  NamespaceCleaner,
  noJournal,
  ObjectStore,
  PodKind,
  type Random,
} from "@rouse/shared";
import { ServingAdmission } from "../admission/serving-admission.ts";
import { EventRetention } from "./event-retention.ts";
import { DiskJournalFile, keepAside } from "./journal-file.ts";
import { decodeJournal } from "./journal-format.ts";
import { LiveSettings } from "./live-settings.ts";
import { StoreJournal } from "./store-journal.ts";

export interface ApiServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface ApiServerOptions {
  /** Where objects are kept over restarts; absent: nowhere. */
  readonly dataDir?: string;
  /** Pods, endpoints and events as well, where they outlive this process, as in a cluster. */
  readonly keepsAll?: boolean;
}

/** A file that is there and is none of ours. */
export class ForeignJournalError extends Error {
  override readonly name = "ForeignJournalError";
}

/**
 * What lives no longer than this process: a pod's program ends with it, and endpoints are made anew from the pods
 * there are. Restored, they would send requests to nobody (C-168).
 */
const NOT_KEPT_AT_HOME: ReadonlySet<string> = new Set(
  [PodKind, EndpointsKind, EventKind].map(({ kind }) => kind),
);

/** Far below the versions a store leaves out when it is restored. */
const SKIPPED_PER_VERSION = 10_000;

/** The object store with everything that belongs to it: admission, collectors, and the journal on disk. */
export class ApiServer implements AsyncDisposable {
  readonly client: KubeClient;
  readonly store: ObjectStore;
  readonly #journal: StoreJournal | undefined;
  readonly #owned: AsyncDisposableStack;

  private constructor(parts: {
    store: ObjectStore;
    client: KubeClient;
    journal: StoreJournal | undefined;
    owned: AsyncDisposableStack;
  }) {
    this.store = parts.store;
    this.client = parts.client;
    this.#journal = parts.journal;
    this.#owned = parts.owned;
  }

  /** Resolves when every write made until now survives the end of this process and of the machine. */
  durable(): Promise<void> {
    return this.#journal?.durable() ?? Promise.resolve();
  }

  /**
   * Opens the store as the data directory has it.
   * @throws ForeignJournalError, or the system's error when the directory cannot be used
   */
  static async start(deps: ApiServerDeps, options: ApiServerOptions = {}): Promise<ApiServer> {
    const { clock, random, log } = deps;
    await using owned = new AsyncDisposableStack();
    const notKept: ReadonlySet<string> = options.keepsAll === true ? new Set() : NOT_KEPT_AT_HOME;
    const snapshot = (): Iterable<JournalRecord> => snapshotOf(store, notKept);
    const kept =
      options.dataDir === undefined
        ? { journal: undefined, records: [] }
        : await openJournal(deps, join(options.dataDir, "objects.journal"), snapshot);
    owned.use(kept.journal);
    const settings = new LiveSettings();
    const store: ObjectStore = new ObjectStore(
      {
        wall: () => clock.wall(),
        random,
        admission: new ServingAdmission(() => settings.current),
        journal: kept.journal === undefined ? noJournal : keptOnly(kept.journal, notKept),
      },
      { restored: kept.records },
    );
    owned.use(settings.follow(store));
    owned.use(new GarbageCollector({ store, clock, log }));
    owned.use(new NamespaceCleaner({ store, clock }));
    owned.use(new EventRetention({ store, clock }));
    const client = new InProcessKubeClient({ store, clock });
    return new ApiServer({ store, client, journal: kept.journal, owned: owned.move() });
  }

  /** Stops collecting and writes what is left to the journal. */
  async close(): Promise<void> {
    await this.#owned.disposeAsync();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function openJournal(
  { clock, log }: ApiServerDeps,
  path: string,
  snapshot: () => Iterable<JournalRecord>,
): Promise<{ readonly journal: StoreJournal; readonly records: readonly JournalRecord[] }> {
  const { file, content } = await DiskJournalFile.open(path);
  const decoded = decodeJournal(content);
  if (decoded.kind === "foreign") {
    await file.close();
    throw new ForeignJournalError(`${path} is not a journal of this program, or of a newer version of it`);
  }
  const { records, wholeBytes } = decoded;
  if (wholeBytes < content.length) {
    const torn = content.subarray(wholeBytes);
    log.warn("the journal ends in the middle of a record: dropped", {
      path,
      bytes: torn.length,
      kept: `${path}.torn`,
    });
    await keepAside(`${path}.torn`, torn);
    const whole = await file.prepare([content.subarray(0, wholeBytes)]);
    await whole.takeOver(Buffer.alloc(0));
  }
  const journal = new StoreJournal({ file, clock, log }, { bytes: wholeBytes, snapshot });
  return { journal, records };
}

/** Leaves out what is not kept, but for where the counter stands: after a restart it must not go back (P-49). */
function keptOnly(journal: Pick<StoreJournal, "append">, notKept: ReadonlySet<string>): Journal {
  let skipped = 0;
  return {
    append: (record) => {
      const { kind } = record.type === "put" ? record.object : record;
      if (!notKept.has(kind)) {
        journal.append(record);
        return;
      }
      if (++skipped % SKIPPED_PER_VERSION !== 0) return;
      const { resourceVersion } = record.type === "put" ? record.object.metadata : record;
      journal.append({ type: "version", resourceVersion });
    },
  };
}

/** Everything that is kept, and how far the counter has come: later changes may have been to what is not. */
function* snapshotOf(store: ObjectStore, notKept: ReadonlySet<string>): Generator<JournalRecord> {
  yield { type: "version", resourceVersion: store.resourceVersion };
  for (const kind of store.kinds) {
    if (notKept.has(kind.kind)) continue;
    for (const object of store.list(kind)) yield { type: "put", object };
  }
}

import type { Clock, Journal, JournalRecord, Logger } from "@rouse/shared";
import type { JournalFile, PreparedContent } from "./journal-file.ts";
import { encodeRecord, JOURNAL_HEADER } from "./journal-format.ts";

/** A journal is written anew when it has grown past this, and past so many times what it then held. */
const REWRITE_BYTES_MIN = 1024 * 1024;
const REWRITE_GROWTH = 4;
/** Written and not yet on the disk. A disk that falls further behind is given the whole anew when it is back. */
const PENDING_BYTES_MAX = 32 * 1024 * 1024;
/** Wait before a disk that failed is tried again: doubling from the first to the last. */
const RETRY_MS_FIRST = 1_000;
const RETRY_MS_MAX = 60_000;
/** Encoded in one go: what waits for the event loop waits for no more than this. */
const CHUNK_RECORDS = 32;

export interface StoreJournalDeps {
  readonly file: JournalFile;
  readonly clock: Pick<Clock, "after">;
  readonly log: Logger;
}

export interface StoreJournalOptions {
  /** Size of the file as it was opened; 0 = nothing in it, not even a header. */
  readonly bytes: number;
  /** Everything worth keeping, as records, whenever the file is written anew. */
  readonly snapshot: () => Iterable<JournalRecord>;
  /** Smaller for tests. */
  readonly rewriteBytesMin?: number;
  readonly pendingBytesMax?: number;
}

/** A file written anew beside the one in use. */
interface Rewrite {
  /** What was appended since its records were taken. */
  readonly tail: string[];
  tailBytes: number;
  bytes: number;
  prepared: PreparedContent | undefined;
}

/**
 * Keeps a store's changes in a file. Appending never waits: changes are written in batches, one on its way and the
 * rest behind it, so that each is on the disk within about two syncs; a crash of the machine loses at most those, the
 * end of the process alone loses what was not handed to the system yet. A file that has grown too long is written anew
 * beside the old one, which goes on being appended to until the new one takes over, so that nobody waits for that. A
 * disk that fails does not stop the store: it is said once, and when the disk is back the whole is written anew.
 */
export class StoreJournal implements Journal, AsyncDisposable {
  readonly #deps: StoreJournalDeps;
  readonly #options: StoreJournalOptions;
  #pending: string[] = [];
  #pendingBytes = 0;
  #bytes: number;
  /** 0 until the first: how much of a file that was opened is still worth keeping is not known. */
  #bytesAtRewrite = 0;
  #isStale = false;
  /** Records taken so far, and how many of them are on the disk. */
  #taken = 0;
  #kept = 0;
  /** Who waits for records up to a number, oldest first. */
  #waiting: { readonly until: number; readonly resolve: () => void }[] = [];
  #failures = 0;
  #rewrite: Rewrite | undefined;
  #preparing: Promise<void> | undefined;
  #work: Promise<void> | undefined;
  #retry: Disposable | undefined;
  #isClosed = false;

  constructor(deps: StoreJournalDeps, options: StoreJournalOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#bytes = options.bytes;
    if (options.bytes === 0) this.#push(JOURNAL_HEADER);
  }

  append(record: JournalRecord): void {
    this.#taken++;
    if (this.#isStale || this.#isClosed) return; // the next rewrite has it
    const text = encodeRecord(record);
    this.#push(text);
    if (this.#rewrite !== undefined) this.#addToTail(this.#rewrite, text);
    if (this.#pendingBytes > (this.#options.pendingBytesMax ?? PENDING_BYTES_MAX)) this.#markStale();
    this.#start();
  }

  /** Whether what is on the disk follows the store; while it does not, a restart would bring back an older state. */
  get isCurrent(): boolean {
    return !this.#isStale;
  }

  /**
   * Resolves when everything appended until now is on the disk; what comes later is not waited for. While the disk
   * fails it resolves at once: the store goes on in memory, which has been said.
   */
  durable(): Promise<void> {
    if (this.#kept >= this.#taken || this.#isStale || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ until: this.#taken, resolve }));
  }

  /** Resolves when all that was appended is on the disk, or the disk has failed. */
  async flush(): Promise<void> {
    this.#start();
    while (this.#work !== undefined || this.#preparing !== undefined) {
      await (this.#work ?? this.#preparing);
    }
  }

  /** Writes what is left and closes the file. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#cancelRetry(); // the last attempt is now
    await this.flush();
    this.#isClosed = true;
    this.#cancelRetry();
    await this.#deps.file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #cancelRetry(): void {
    this.#retry?.[Symbol.dispose]();
    this.#retry = undefined;
  }

  #push(text: string): void {
    this.#pending.push(text);
    this.#pendingBytes += text.length;
  }

  #markStale(): void {
    this.#isStale = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#giveUpRewrite();
  }

  #start(): void {
    if (this.#work !== undefined || this.#isClosed || this.#retry !== undefined) return;
    if (this.#pending.length === 0 && !this.#isStale && this.#rewrite?.prepared === undefined) return;
    this.#work = this.#writeAll().finally(() => {
      this.#work = undefined;
      this.#start(); // for what came after the last look
    });
  }

  async #writeAll(): Promise<void> {
    try {
      for (;;) {
        const prepared = this.#rewrite?.prepared;
        if (this.#isStale) await this.#writeWhole();
        else if (this.#rewrite !== undefined && prepared !== undefined) {
          await this.#takeOver(this.#rewrite, prepared);
        } else if (this.#pending.length > 0) await this.#writeBatch();
        else break;
      }
      if (this.#failures > 0) this.#deps.log.info("the journal is written again");
      this.#failures = 0;
    } catch (error) {
      this.#failed(error);
    }
  }

  async #writeBatch(): Promise<void> {
    const bytes = Buffer.from(this.#takePending());
    const until = this.#taken;
    await this.#deps.file.append(bytes);
    this.#bytes += bytes.length;
    this.#keptUntil(until);
    if (this.#isOvergrown() && this.#rewrite === undefined && this.#preparing === undefined) {
      this.#preparing = this.#prepare();
    }
  }

  #takePending(): string {
    const text = this.#pending.join("");
    this.#pending = [];
    this.#pendingBytes = 0;
    return text;
  }

  #isOvergrown(): boolean {
    const limit = this.#options.rewriteBytesMin ?? REWRITE_BYTES_MIN;
    return this.#bytes > Math.max(limit, REWRITE_GROWTH * this.#bytesAtRewrite);
  }

  /** The records are taken now; what is appended from now on is written to the old file and comes behind the new one. */
  async #prepare(): Promise<void> {
    const rewrite: Rewrite = { tail: [], tailBytes: 0, bytes: 0, prepared: undefined };
    this.#rewrite = rewrite;
    try {
      const prepared = await this.#deps.file.prepare(this.#snapshotChunks(rewrite));
      if (this.#rewrite === rewrite) rewrite.prepared = prepared;
      else await prepared.discard();
    } catch (error) {
      if (this.#rewrite === rewrite) this.#failed(error);
    } finally {
      this.#preparing = undefined;
      this.#start();
    }
  }

  async #takeOver(rewrite: Rewrite, prepared: PreparedContent): Promise<void> {
    this.#rewrite = undefined;
    const until = this.#taken;
    this.#takePending(); // the tail has it
    const rest = Buffer.from(rewrite.tail.join(""));
    await prepared.takeOver(rest);
    this.#bytes = rewrite.bytes + rest.length;
    this.#bytesAtRewrite = rewrite.bytes;
    this.#keptUntil(until);
  }

  /** After a failure: what the old file holds is not known. Changes made meanwhile come behind. */
  async #writeWhole(): Promise<void> {
    await this.#preparing;
    const until = this.#taken;
    const written = { bytes: 0 };
    const chunks = this.#snapshotChunks(written);
    this.#takePending();
    this.#isStale = false;
    const prepared = await this.#deps.file.prepare(chunks);
    await prepared.takeOver(Buffer.alloc(0));
    this.#bytes = written.bytes;
    this.#bytesAtRewrite = written.bytes;
    this.#keptUntil(until);
  }

  #snapshotChunks(written: { bytes: number }): Iterable<Buffer> {
    return chunksOf([...this.#options.snapshot()], (bytes) => {
      written.bytes += bytes;
    });
  }

  #addToTail(rewrite: Rewrite, text: string): void {
    rewrite.tail.push(text);
    rewrite.tailBytes += text.length;
    // So much was changed meanwhile that the next attempt does better.
    if (rewrite.tailBytes > (this.#options.pendingBytesMax ?? PENDING_BYTES_MAX)) this.#giveUpRewrite();
  }

  #giveUpRewrite(): void {
    const prepared = this.#rewrite?.prepared;
    this.#rewrite = undefined;
    prepared?.discard().catch((error: unknown) => {
      this.#deps.log.debug("a file was not closed", { error: String(error) });
    });
  }

  #keptUntil(count: number): void {
    this.#kept = count;
    const there = this.#waiting.filter(({ until }) => until <= count);
    this.#waiting = this.#waiting.filter(({ until }) => until > count);
    for (const { resolve } of there) resolve();
  }

  #failed(error: unknown): void {
    this.#markStale();
    const message = error instanceof Error ? error.message : String(error);
    if (this.#failures === 0) {
      this.#deps.log.error("the journal cannot be written: changes are kept in memory alone", {
        error: message,
      });
    }
    const delayMs = Math.min(RETRY_MS_FIRST * 2 ** this.#failures, RETRY_MS_MAX);
    this.#failures = Math.min(this.#failures + 1, 30);
    this.#retry = this.#deps.clock.after(delayMs, () => {
      this.#retry = undefined;
      this.#start();
    });
  }
}

function* chunksOf(records: readonly JournalRecord[], written: (bytes: number) => void): Generator<Buffer> {
  let text = JOURNAL_HEADER;
  for (const [index, record] of records.entries()) {
    text += encodeRecord(record);
    if ((index + 1) % CHUNK_RECORDS !== 0) continue;
    const bytes = Buffer.from(text);
    written(bytes.length);
    yield bytes;
    text = "";
  }
  const rest = Buffer.from(text);
  written(rest.length);
  yield rest;
}

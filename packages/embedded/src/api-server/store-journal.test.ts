import { type JournalRecord, type LogFields, type Logger, silentLogger } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import type { JournalFile, PreparedContent } from "./journal-file.ts";
import { decodeJournal } from "./journal-format.ts";
import { StoreJournal, type StoreJournalOptions } from "./store-journal.ts";

/** A disk in memory that writes when it is told to, and can fail. */
class FakeFile implements JournalFile {
  content = Buffer.alloc(0);
  writes: ("append" | "replace" | "discard")[] = [];
  isPreparingHeld = false;
  prepared = 0;
  isFull = false;
  isClosed = false;
  #gates: (() => void)[] = [];
  isHeld = false;

  async append(bytes: Buffer): Promise<void> {
    await this.#gate();
    this.writes.push("append");
    this.content = Buffer.concat([this.content, bytes]);
  }

  async prepare(chunks: Iterable<Buffer>): Promise<PreparedContent> {
    if (this.isPreparingHeld) await new Promise<void>((resolve) => this.#gates.push(resolve));
    await this.#gate();
    const next = Buffer.concat([...chunks]);
    this.prepared++;
    return {
      takeOver: async (rest) => {
        await this.#gate();
        this.writes.push("replace");
        this.content = Buffer.concat([next, rest]);
      },
      discard: async () => void this.writes.push("discard"),
    };
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  release(): void {
    this.isHeld = false;
    this.isPreparingHeld = false;
    for (const open of this.#gates.splice(0)) open();
  }

  get records(): readonly JournalRecord[] {
    const decoded = decodeJournal(this.content);
    return decoded.kind === "journal" && decoded.wholeBytes === this.content.length ? decoded.records : [];
  }

  async #gate(): Promise<void> {
    if (this.isHeld) await new Promise<void>((resolve) => this.#gates.push(resolve));
    if (this.isFull) throw new Error("ENOSPC");
  }
}

const at = (version: number): JournalRecord => ({ type: "version", resourceVersion: String(version) });

function setup(options: Partial<StoreJournalOptions> = {}) {
  const clock = new VirtualClock();
  const file = new FakeFile();
  const said: string[] = [];
  const note = (message: string, _fields?: LogFields): void => void said.push(message);
  const log: Logger = { ...silentLogger, info: note, error: note };
  const live: JournalRecord[] = [];
  const journal = new StoreJournal({ file, clock, log }, { bytes: 0, snapshot: () => live, ...options });
  const append = (version: number): void => {
    live.splice(0, live.length, at(version)); // what a snapshot would hold: only the latest
    journal.append(at(version));
  };
  return { clock, file, journal, append, said };
}

describe("a store's journal", () => {
  test("writes what is appended, in order, in as few batches as the disk is slow", async () => {
    const { file, journal, append } = setup();
    file.isHeld = true;
    append(1);
    append(2);
    append(3);
    file.release();
    await journal.flush();
    expect(file.records).toEqual([at(1), at(2), at(3)]);
    expect(file.writes.length).toBeLessThanOrEqual(2);
  });

  test("is written anew when it has outgrown what it holds", async () => {
    const { file, journal, append } = setup({ rewriteBytesMin: 500 });
    for (let version = 1; version <= 40; version++) {
      append(version);
      await journal.flush();
    }
    expect(file.writes).toContain("replace");
    expect(file.content.length).toBeLessThan(1_000);
    expect(file.records.at(-1)).toEqual(at(40));
    await journal.close();
    expect(file.isClosed).toBe(true);
  });

  test("loses nothing that is appended while it is written anew", async () => {
    const { file, journal, append } = setup({ rewriteBytesMin: 100 });
    for (let version = 1; version <= 4; version++) append(version);
    await journal.flush();
    file.isHeld = true;
    append(5); // begins the rewrite
    append(6);
    await Promise.resolve();
    append(7);
    file.release();
    await journal.flush();
    expect(file.writes).toContain("replace");
    expect(file.records.at(-1)).toEqual(at(7));
  });

  test("nobody waits for a file that is being written anew: the old one is kept until then", async () => {
    const { file, journal, append } = setup({ rewriteBytesMin: 100 });
    file.isPreparingHeld = true;
    for (let version = 1; version <= 6; version++) {
      append(version);
      await journal.durable();
    }
    expect(file.records.at(-1)).toEqual(at(6));
    expect(file.writes).not.toContain("replace");
    append(7);
    file.release();
    await journal.flush();
    expect(file.writes).toContain("replace");
    expect(file.records.at(-1)).toEqual(at(7));
    expect(file.records.length).toBeLessThan(7);
  });

  test("every file that is written anew is put in force or given up", async () => {
    const { file, journal, append } = setup({ rewriteBytesMin: 100 });
    for (let version = 1; version <= 200; version++) {
      append(version);
      if (version % 7 === 0) await Promise.resolve();
      if (version % 31 === 0) await journal.durable();
    }
    await journal.close();
    expect(file.prepared).toBe(file.writes.filter((kind) => kind !== "append").length);
    expect(file.records.at(-1)).toEqual(at(200));
  });

  test("a rewrite that the changes outrun is given up, and nothing is lost", async () => {
    const { file, journal, append } = setup({ rewriteBytesMin: 100, pendingBytesMax: 1_000 });
    file.isPreparingHeld = true;
    for (let version = 1; version <= 40; version++) {
      append(version);
      await journal.durable();
    }
    expect(journal.isCurrent).toBe(true);
    expect(file.records.map((record) => record.type)).toHaveLength(40);
    file.release();
    append(41);
    await journal.flush();
    expect(file.writes).toContain("discard");
    expect(file.records.at(-1)).toEqual(at(41));
    await journal.close();
  });

  test("says once that the disk fails, goes on, and writes the whole when it is back", async () => {
    const { clock, file, journal, append, said } = setup();
    append(1);
    await journal.flush();
    file.isFull = true;
    append(2);
    await journal.flush();
    expect(journal.isCurrent).toBe(false);
    append(3);
    for (let i = 0; i < 5; i++) {
      clock.advance(60_000);
      await journal.flush();
    }
    expect(said).toEqual(["the journal cannot be written: changes are kept in memory alone"]);
    file.isFull = false;
    append(4);
    clock.advance(60_000);
    await journal.flush();
    expect(journal.isCurrent).toBe(true);
    expect(file.records).toEqual([at(4)]);
    expect(said.at(-1)).toBe("the journal is written again");
    append(5);
    await journal.close();
    expect(file.records).toEqual([at(4), at(5)]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("does not grow without bound before a disk that hangs", async () => {
    const { file, journal, append } = setup({ pendingBytesMax: 1_000 });
    file.isHeld = true;
    for (let version = 1; version <= 1_000; version++) append(version);
    expect(journal.isCurrent).toBe(false);
    file.release();
    await journal.flush();
    expect(journal.isCurrent).toBe(true);
    expect(file.records.at(-1)).toEqual(at(1_000));
    expect(file.content.length).toBeLessThan(2_000);
  });

  test("closed while the disk fails, tries once more and leaves no timer", async () => {
    const { clock, file, journal, append } = setup();
    file.isFull = true;
    append(1);
    await journal.flush();
    await journal.close();
    await journal.close();
    expect(file.isClosed).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });
});

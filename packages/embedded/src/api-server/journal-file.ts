import { type FileHandle, mkdir, open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A file that is appended to, and now and then replaced as a whole. Every call has reached the disk when it resolves. */
export interface JournalFile {
  append(bytes: Buffer): Promise<void>;
  /** All or nothing: after a crash there is the old content or the new. */
  replace(chunks: Iterable<Buffer>): Promise<void>;
  close(): Promise<void>;
}

/** A `JournalFile` on a disk, made if it is not there. Only its owner may read it: it holds whatever objects hold. */
export class DiskJournalFile implements JournalFile {
  readonly #path: string;
  #handle: FileHandle;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  static async open(path: string): Promise<{ readonly file: DiskJournalFile; readonly content: Buffer }> {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(path, "a+", 0o600);
    return { file: new DiskJournalFile(path, handle), content: await handle.readFile() };
  }

  async append(bytes: Buffer): Promise<void> {
    await this.#handle.appendFile(bytes);
    await this.#handle.datasync();
  }

  async replace(chunks: Iterable<Buffer>): Promise<void> {
    const next = `${this.#path}.new`;
    const handle = await open(next, "w", 0o600);
    try {
      for (const chunk of chunks) await handle.appendFile(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(next, this.#path);
    await syncDirectory(dirname(this.#path));
    const old = this.#handle;
    this.#handle = await open(this.#path, "a", 0o600);
    await old.close();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Keeps bytes that were cut off a journal, for whoever wants to look. */
export async function keepAside(path: string, bytes: Buffer): Promise<void> {
  const handle = await open(join(path), "w", 0o600);
  try {
    await handle.appendFile(bytes);
  } finally {
    await handle.close();
  }
}

/** A rename is on the disk when the directory is. Systems that cannot open a directory do without. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) return;
  try {
    await handle.sync();
  } catch {
    // Not every file system syncs directories; the rename itself has happened.
  } finally {
    await handle.close();
  }
}

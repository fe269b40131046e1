import { type FileHandle, mkdir, open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A file that is appended to, and now and then replaced as a whole. Every call has reached the disk when it resolves. */
export interface JournalFile {
  append(bytes: Buffer): Promise<void>;
  /** Writes a new content beside the old one, which may be appended to meanwhile. One at a time. */
  prepare(chunks: Iterable<Buffer>): Promise<PreparedContent>;
  close(): Promise<void>;
}

/** A new content, on the disk and not yet in force. Either of its calls ends it. */
export interface PreparedContent {
  /** Puts it in force, with `rest` behind it. All or nothing: after a crash there is the old content or the new. */
  takeOver(rest: Buffer): Promise<void>;
  discard(): Promise<void>;
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

  async prepare(chunks: Iterable<Buffer>): Promise<PreparedContent> {
    const next = `${this.#path}.new`;
    const handle = await open(next, "w", 0o600);
    try {
      for (const chunk of chunks) {
        await handle.appendFile(chunk);
        await handle.datasync(); // all at once at the end would hold up who appends to the old file meanwhile
      }
      await handle.sync();
    } catch (error) {
      await handle.close();
      throw error;
    }
    return {
      takeOver: async (rest) => {
        try {
          if (rest.length > 0) {
            await handle.appendFile(rest);
            await handle.datasync();
          }
          await rename(next, this.#path);
          await syncDirectory(dirname(this.#path));
        } catch (error) {
          await handle.close();
          throw error;
        }
        const old = this.#handle;
        this.#handle = handle;
        await old.close();
      },
      discard: () => handle.close(), // the next one is written over it
    };
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

import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SnapshotStore } from "@rouse/autoscaler";

/** The autoscaler's windows in a file of the data directory, whole or not at all. */
export class SnapshotFile implements SnapshotStore {
  readonly #path: string;

  constructor(dataDirectory: string) {
    this.#path = join(dataDirectory, "autoscaler-windows.json");
  }

  async load(): Promise<string | undefined> {
    try {
      return await readFile(this.#path, "utf8");
    } catch {
      return undefined; // never written, or not ours to read
    }
  }

  async save(text: string): Promise<void> {
    const next = `${this.#path}.next`;
    await writeFile(next, text, { mode: 0o600 });
    await rename(next, this.#path);
  }
}

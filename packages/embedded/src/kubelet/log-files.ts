import { appendFile, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, type Logger, rfc3339, type WallMs } from "@rouse/shared";
import type { OutputStream } from "./output-ring.ts";

export interface LogLimits {
  /** A file that has reached this is put aside; Kubernetes' `containerLogMaxSize`. */
  readonly fileBytesMax: number;
  /** Files per container, the current one among them; Kubernetes' `containerLogMaxFiles`. */
  readonly filesMax: number;
  /** Pods whose logs are kept after they are gone, the latest. */
  readonly pastPodsMax: number;
}

const LIMITS_DEFAULT: LogLimits = { fileBytesMax: 10 * 1024 * 1024, filesMax: 5, pastPodsMax: 64 };
/** Lines are written together: a program that logs a lot costs the data path a write every so often, not one per line. */
const FLUSH_MS = 100;
/** What the disk is behind with is kept up to this; then the oldest lines are dropped, and counted. */
const PENDING_CHARACTERS_MAX = 1024 * 1024;

export interface LogFilesDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

/** The output of pods as files: `<data-dir>/logs/<namespace>_<pod>_<uid>/<container>.log`, with `.1` the one before. */
export class LogFiles {
  readonly #deps: LogFilesDeps;
  readonly #directory: string;
  readonly #limits: LogLimits;
  /** Directories of pods that are here. */
  readonly #living = new Set<string>();

  constructor(deps: LogFilesDeps, dataDirectory: string, limits: LogLimits = LIMITS_DEFAULT) {
    this.#deps = deps;
    this.#directory = join(dataDirectory, "logs");
    this.#limits = limits;
  }

  /** One log of a pod. Nothing is on disk before its first line. */
  open(
    pod: { readonly namespace: string; readonly name: string; readonly uid: string },
    container: string,
  ): LogFile {
    const name = directoryOf(pod);
    this.#living.add(name);
    return new LogFile(this.#deps, join(this.#directory, name), `${container}.log`, this.#limits);
  }

  /** The pod is gone; of all that are, the logs of the latest stay. Never rejects. */
  async podGone(pod: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
  }): Promise<void> {
    this.#living.delete(directoryOf(pod));
    try {
      const past = (await readdir(this.#directory)).filter((name) => !this.#living.has(name));
      if (past.length <= this.#limits.pastPodsMax) return;
      const aged = await Promise.all(
        past.map(async (name) => ({ name, at: (await stat(join(this.#directory, name))).mtimeMs })),
      );
      aged.sort((a, b) => b.at - a.at);
      for (const { name } of aged.slice(this.#limits.pastPodsMax)) {
        await rm(join(this.#directory, name), { recursive: true, force: true });
      }
    } catch (error) {
      if (isMissing(error)) return; // no pod has said anything yet, or another call removed it
      this.#deps.log.warn("old pod logs not removed", { error: String(error) });
    }
  }
}

/**
 * The log of one container, rotated by size, in the format of Kubernetes' container runtimes:
 * `<time> stdout|stderr F <line>`. A disk that cannot be written costs lines, never the platform.
 */
export class LogFile {
  readonly #deps: LogFilesDeps;
  readonly #directory: string;
  readonly #name: string;
  readonly #limits: LogLimits;
  #pending: string[] = [];
  #pendingCharacters = 0;
  #dropped = 0;
  #bytes: number | undefined;
  #timer: Disposable | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(deps: LogFilesDeps, directory: string, name: string, limits: LogLimits) {
    this.#deps = deps;
    this.#directory = directory;
    this.#name = name;
    this.#limits = limits;
  }

  line(stream: OutputStream, text: string, at: WallMs): void {
    const line = `${rfc3339(at)} ${stream} F ${text}\n`;
    this.#pending.push(line);
    this.#pendingCharacters += line.length;
    while (this.#pendingCharacters > PENDING_CHARACTERS_MAX) {
      this.#pendingCharacters -= this.#pending.shift()?.length ?? 0;
      this.#dropped++;
    }
    this.#timer ??= this.#deps.clock.after(FLUSH_MS, () => this.#flush());
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#flush();
    await this.#writing;
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#pending.length === 0) return;
    const lost = this.#dropped === 0 ? "" : `... ${this.#dropped} lines were not written\n`;
    const text = lost + this.#pending.join("");
    this.#pending = [];
    this.#pendingCharacters = 0;
    this.#dropped = 0;
    this.#writing = this.#writing
      .then(() => this.#write(text))
      .catch((error: unknown) => {
        this.#deps.log.warn("pod log not written", { file: this.#name, error: String(error) });
      });
  }

  async #write(text: string): Promise<void> {
    const path = join(this.#directory, this.#name);
    if (this.#bytes === undefined) {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      this.#bytes = await sizeOf(path);
    }
    if (this.#bytes >= this.#limits.fileBytesMax) {
      await this.#rotate(path);
      this.#bytes = 0;
    }
    await appendFile(path, text, { mode: 0o600 });
    this.#bytes += Buffer.byteLength(text);
  }

  async #rotate(path: string): Promise<void> {
    const last = this.#limits.filesMax - 1;
    await rm(`${path}.${last}`, { force: true });
    for (let number = last - 1; number >= 1; number--) {
      await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(ignoreMissing);
    }
    if (last > 0) await rename(path, `${path}.1`);
    else await rm(path, { force: true });
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    ignoreMissing(error);
    return 0;
  }
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function directoryOf(pod: {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}): string {
  return `${pod.namespace}_${pod.name}_${pod.uid}`;
}

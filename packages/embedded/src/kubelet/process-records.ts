import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ObjectKey } from "@rouse/shared";
import { bootId, type ProcessIdentity, readProcess } from "./process-table.ts";

/** Marks every process of a home, and all it starts, with `<home id>/<platform pid>/<platform start>`. */
export const INSTANCE_VARIABLE = "ROUSE_INSTANCE";
/** `namespace/name` of the pod a process stands for. */
export const POD_VARIABLE = "ROUSE_POD";

/** What is written down about a pod's process, to find it again after the platform died. */
export interface ProcessRecord extends ProcessIdentity {
  readonly pod: string;
  /** The platform it belongs to. */
  readonly platform: ProcessIdentity;
  readonly boot: string;
}

/**
 * One small file per running process in `<data-dir>/pods/`, written in the same breath as the process is started: a
 * platform that is killed a moment later has left a note.
 */
export class ProcessRecords {
  readonly #directory: string;
  readonly #platform: ProcessIdentity;
  readonly #boot: string;
  /** Value of `ROUSE_INSTANCE` for the processes of this platform. */
  readonly instance: string;

  private constructor(directory: string, platform: ProcessIdentity, boot: string, home: string) {
    this.#directory = directory;
    this.#platform = platform;
    this.#boot = boot;
    this.instance = `${home}/${platform.pid}/${platform.startTicks}`;
  }

  /** @throws when the directory cannot be made or written */
  static open(dataDirectory: string): ProcessRecords {
    const directory = recordsDirectory(dataDirectory);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const platform = readProcess(process.pid) ?? { pid: process.pid, startTicks: "" };
    const { pid, startTicks } = platform;
    return new ProcessRecords(directory, { pid, startTicks }, bootId(), homeId(directory));
  }

  add(pid: number, pod: ObjectKey): void {
    const found = readProcess(pid);
    if (found === undefined) return; // it is over already, or there is no /proc here
    const { startTicks } = found;
    const record: ProcessRecord = { pid, startTicks, pod, platform: this.#platform, boot: this.#boot };
    writeFileSync(join(this.#directory, `${pid}.json`), JSON.stringify(record), { mode: 0o600 });
  }

  remove(pid: number): void {
    rmSync(join(this.#directory, `${pid}.json`), { force: true });
  }
}

export function recordsDirectory(dataDirectory: string): string {
  return join(dataDirectory, "pods");
}

/** Every record that can be read, with its file. A torn one is skipped: its process carries the mark. */
export function readRecords(
  directory: string,
): readonly { readonly file: string; readonly record: ProcessRecord }[] {
  return names(directory)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => {
      const file = join(directory, name);
      const record = parseRecord(read(file));
      return record === undefined ? [] : [{ file, record }];
    });
}

/** The home's own mark, made once per data directory. `undefined`: none was ever made. */
export function readHomeId(directory: string): string | undefined {
  const text = read(join(directory, "home-id"))?.trim();
  return text === "" ? undefined : text;
}

function homeId(directory: string): string {
  const known = readHomeId(directory);
  if (known !== undefined) return known;
  const id = randomUUID();
  writeFileSync(join(directory, "home-id"), `${id}\n`, { mode: 0o600 });
  return id;
}

function parseRecord(text: string | undefined): ProcessRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
  const platform = identity(field(value, "platform"));
  const own = identity(value);
  const pod = field(value, "pod");
  const boot = field(value, "boot");
  if (platform === undefined || own === undefined) return undefined;
  return typeof pod === "string" && typeof boot === "string" ? { ...own, platform, pod, boot } : undefined;
}

function identity(of: unknown): ProcessIdentity | undefined {
  const pid = field(of, "pid");
  const startTicks = field(of, "startTicks");
  const isOne = typeof pid === "number" && Number.isInteger(pid) && pid > 1 && typeof startTicks === "string";
  return isOne ? { pid, startTicks } : undefined;
}

function field(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined;
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Enough to tell a process from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the kernel's own count: equal for the same process, whatever happens to the clock. */
  readonly startTicks: string;
}

export interface ProcessEntry extends ProcessIdentity {
  readonly parent: number;
  readonly group: number;
  /** Ended, and only waits to be collected by its parent. */
  readonly isZombie: boolean;
}

/** The process as the kernel shows it, or `undefined` if there is none (or no `/proc`). */
export function readProcess(pid: number): ProcessEntry | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses and may hold anything, parentheses included.
  const [state, parent, group, ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const startTicks = rest[16]; // field 22 of proc(5)
  if (startTicks === undefined) return undefined;
  return {
    pid,
    startTicks,
    parent: Number(parent),
    group: Number(group),
    isZombie: state === "Z" || state === "X",
  };
}

/** Whether that very process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  const found = readProcess(identity.pid);
  return found !== undefined && !found.isZombie && found.startTicks === identity.startTicks;
}

/** Numbers of all processes of this process's own namespace that can be seen. */
export function processIds(): readonly number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** One variable of the environment a process was started with; `undefined` too when it belongs to someone else. */
export function startVariable(pid: number, name: string): string | undefined {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return entries.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  } catch {
    return undefined;
  }
}

/** Changes with every boot, as tick counts begin anew. */
export function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}

/** Whether the process counts process numbers as we do; inside another container they mean something else. */
export function isSameNamespace(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`) === readlinkSync("/proc/self/ns/pid");
  } catch {
    return false;
  }
}

import { readdirSync, readFileSync } from "node:fs";
import type { Clock, MonoMs } from "@rouse/shared";

/** What the processes of a group use. */
export interface ProcessUsage {
  /** Processor time spent so far by those that are alive, children they have waited for included. */
  readonly cpuSeconds: number;
  /** Resident memory; what processes share counts for each of them. */
  readonly memoryBytes: number;
  readonly processes: number;
}

/** Fixed for every architecture Linux knows in user space: `sysconf(_SC_CLK_TCK)`. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

/** Positions in `/proc/<pid>/stat`, counted from the field after the command's closing parenthesis. See proc(5). */
const GROUP = 2;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;
const CHILDREN_USER_TICKS = 13;
const CHILDREN_SYSTEM_TICKS = 14;
const RESIDENT_PAGES = 21;

/**
 * Reads the usage of process groups, by the group's number, in one walk over `/proc`. Groups nothing is left of are
 * absent; where there is no `/proc`, all of them are.
 */
export function readGroupUsage(
  groups: ReadonlySet<number>,
  root = "/proc",
): ReadonlyMap<number, ProcessUsage> {
  const found = new Map<number, ProcessUsage>();
  for (const name of processes(root)) {
    const stat = statOf(`${root}/${name}/stat`);
    if (stat === undefined || !groups.has(stat.group)) continue;
    const before = found.get(stat.group) ?? { cpuSeconds: 0, memoryBytes: 0, processes: 0 };
    found.set(stat.group, {
      cpuSeconds: before.cpuSeconds + stat.ticks / TICKS_PER_SECOND,
      memoryBytes: before.memoryBytes + stat.pages * PAGE_BYTES,
      processes: before.processes + 1,
    });
  }
  return found;
}

function processes(root: string): readonly string[] {
  try {
    return readdirSync(root).filter((name) => /^\d+$/.test(name));
  } catch {
    return []; // not Linux
  }
}

function statOf(
  path: string,
): { readonly group: number; readonly ticks: number; readonly pages: number } | undefined {
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch {
    return undefined; // ended between the listing and now
  }
  // The command's name is in parentheses and may hold anything, further parentheses too.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (at: number): number => Number(fields[at] ?? 0);
  return {
    group: field(GROUP),
    ticks:
      field(USER_TICKS) + field(SYSTEM_TICKS) + field(CHILDREN_USER_TICKS) + field(CHILDREN_SYSTEM_TICKS),
    pages: field(RESIDENT_PAGES),
  };
}

/** Usage that was read this long ago is as good as new. */
const FRESH_MS = 200;

/** What process groups use now. One walk over `/proc` serves everybody who asks at one time. */
export class GroupUsage {
  readonly #clock: Pick<Clock, "now">;
  #read: { readonly at: MonoMs; readonly groups: ReadonlyMap<number, ProcessUsage> } | undefined;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /**
   * Of these groups together; `undefined` if none of them has a process.
   * @param everyone all groups somebody may ask about next
   */
  of(groups: readonly number[], everyone: () => readonly number[]): ProcessUsage | undefined {
    if (groups.length === 0) return undefined;
    const now = this.#clock.now();
    if (this.#read === undefined || now - this.#read.at > FRESH_MS) {
      this.#read = { at: now, groups: readGroupUsage(new Set(everyone())) };
    }
    const { groups: known } = this.#read;
    const found = groups.flatMap((group) => known.get(group) ?? []);
    if (found.length === 0) return undefined;
    return found.reduce((sum, each) => ({
      cpuSeconds: sum.cpuSeconds + each.cpuSeconds,
      memoryBytes: sum.memoryBytes + each.memoryBytes,
      processes: sum.processes + each.processes,
    }));
  }
}

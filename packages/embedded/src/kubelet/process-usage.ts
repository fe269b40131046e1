import { readFileSync } from "node:fs";
import type { PodUsage, Usage } from "@rouse/autoscaler";
import { type Clock, type MonoMs, type ObjectKey, objectKey } from "@rouse/shared";
import { readRecords, recordsDirectory } from "./process-records.ts";
import { processIds } from "./process-table.ts";

/** `USER_HZ` and the page size of every Linux this runs on. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

/** One process as `/proc/<pid>/stat` shows it. */
export interface ProcessUse {
  /** Tells it from a later process of that number. */
  readonly startTicks: string;
  readonly group: number;
  /** CPU time since its start, of user and system. */
  readonly ticks: number;
  readonly residentBytes: number;
}

/** Fields of proc(5). `undefined` if the text is not such a line. */
export function parseProcessUse(text: string): ProcessUse | undefined {
  // The second field is the program's name in parentheses and may hold anything, parentheses included.
  const rest = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [group, user, system, startTicks, pages] = [rest[2], rest[11], rest[12], rest[19], rest[21]];
  if (startTicks === undefined || pages === undefined) return undefined;
  return {
    startTicks,
    group: Number(group),
    ticks: Number(user) + Number(system),
    residentBytes: Number(pages) * PAGE_BYTES,
  };
}

/**
 * What pods use: the sum over their process groups. CPU is averaged since the question before, so the first one about
 * a pod has no answer. A process that came and went in between is not seen.
 */
export class ProcessUsage implements PodUsage {
  readonly #clock: Clock;
  readonly #directory: string;
  #before: ReadonlyMap<string, number> = new Map();
  #pods: ReadonlySet<ObjectKey> = new Set();
  #askedAt: MonoMs | undefined;

  constructor(clock: Clock, dataDirectory: string) {
    this.#clock = clock;
    this.#directory = recordsDirectory(dataDirectory);
  }

  usage(pods: readonly ObjectKey[]): ReadonlyMap<ObjectKey, Usage> {
    const podOf = this.#groups();
    const now = this.#clock.now();
    const seconds = this.#askedAt === undefined ? 0 : (now - this.#askedAt) / 1_000;
    const ticksNow = new Map<string, number>();
    const found = new Map<ObjectKey, Usage>();
    for (const pid of processIds()) {
      const use = readUse(pid);
      const pod = use === undefined ? undefined : podOf.get(use.group);
      if (use === undefined || pod === undefined) continue;
      const process = `${pid}/${use.startTicks}`;
      ticksNow.set(process, use.ticks);
      const spent = (use.ticks - (this.#before.get(process) ?? 0)) / TICKS_PER_SECOND;
      const sum = found.get(pod) ?? { cpuMilli: 0, memoryBytes: 0 };
      found.set(pod, {
        cpuMilli: sum.cpuMilli + (seconds > 0 ? (spent / seconds) * 1_000 : 0),
        memoryBytes: sum.memoryBytes + use.residentBytes,
      });
    }
    const known = this.#pods;
    this.#before = ticksNow;
    this.#pods = new Set(found.keys());
    this.#askedAt = now;
    const answer = new Map<ObjectKey, Usage>();
    for (const pod of pods) {
      const usage = found.get(pod);
      if (usage !== undefined && known.has(pod)) answer.set(pod, usage);
    }
    return answer;
  }

  /** Which pod each process group is. */
  #groups(): ReadonlyMap<number, ObjectKey> {
    return new Map(
      readRecords(this.#directory).map(({ record: { pid, pod } }) => {
        const [namespace = "", name = ""] = pod.split("/");
        return [pid, objectKey({ namespace, name })] as const;
      }),
    );
  }
}

function readUse(pid: number): ProcessUse | undefined {
  try {
    return parseProcessUse(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined; // it has just ended
  }
}

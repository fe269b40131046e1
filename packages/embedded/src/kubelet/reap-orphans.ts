import { rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { INSTANCE_VARIABLE, readHomeId, readRecords, recordsDirectory } from "./process-records.ts";
import { signalGroup } from "./process-runner.ts";
import {
  bootId,
  isAlive,
  isSameNamespace,
  type ProcessIdentity,
  processIds,
  readProcess,
  startVariable,
} from "./process-table.ts";

/** Looks at `/proc` (some 0.1 ms each) before a killed process that does not go is given up. */
const LOOKS_MAX = 10_000;

export interface ReapReport {
  /** Processes ended, by number. */
  readonly killed: readonly number[];
}

/**
 * Ends what an earlier platform of this data directory left behind, however that one ended. Two ways to know such a
 * process, and both want its platform to be dead: its record (same boot, same start time, so a number used again is
 * never mistaken), or the home's mark in the environment it was started with, which also finds what left its group.
 * Linux; without `/proc` nothing is recognised, so nothing is killed.
 */
export async function reapOrphans(dataDirectory: string): Promise<ReapReport> {
  const directory = recordsDirectory(dataDirectory);
  const orphans = new Map<number, ProcessIdentity>();
  for (const orphan of [...recordedOrphans(directory), ...markedOrphans(directory)]) {
    orphans.set(orphan.pid, orphan);
  }
  for (const orphan of orphans.values()) kill(orphan);
  await gone([...orphans.values()]);
  return { killed: [...orphans.keys()] };
}

function recordedOrphans(directory: string): readonly ProcessIdentity[] {
  const boot = bootId();
  const found: ProcessIdentity[] = [];
  for (const { file, record } of readRecords(directory)) {
    const isOurBoot = record.boot === boot;
    if (isOurBoot && isAlive(record.platform)) continue; // another home is using the directory right now
    if (isOurBoot && isAlive(record)) found.push({ pid: record.pid, startTicks: record.startTicks });
    rmSync(file, { force: true });
  }
  return found;
}

function markedOrphans(directory: string): readonly ProcessIdentity[] {
  const home = readHomeId(directory);
  if (home === undefined) return [];
  const ownLine = ancestors();
  const found: ProcessIdentity[] = [];
  for (const pid of processIds()) {
    const mark = startVariable(pid, INSTANCE_VARIABLE);
    if (mark === undefined || !mark.startsWith(`${home}/`) || ownLine.has(pid)) continue;
    const [, platformPid, platformTicks] = mark.split("/");
    if (platformPid === undefined || platformTicks === undefined || !isSameNamespace(pid)) continue;
    if (isAlive({ pid: Number(platformPid), startTicks: platformTicks })) continue;
    const entry = readProcess(pid);
    if (entry !== undefined && !entry.isZombie) found.push({ pid, startTicks: entry.startTicks });
  }
  return found;
}

/** This process and those it descends from: a home may have been started from inside an orphan. */
function ancestors(): ReadonlySet<number> {
  const line = new Set<number>();
  for (let pid = process.pid; pid > 0 && !line.has(pid); pid = readProcess(pid)?.parent ?? 0) line.add(pid);
  return line;
}

function kill(orphan: ProcessIdentity): void {
  const entry = readProcess(orphan.pid);
  if (entry === undefined || entry.startTicks !== orphan.startTicks) return;
  if (entry.group === orphan.pid) signalGroup(orphan.pid, "SIGKILL");
  else signalProcess(orphan.pid);
}

function signalProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}

/** Waits until their ports are free again. By reading, not by timer: at start nothing else keeps this process alive. */
async function gone(orphans: readonly ProcessIdentity[]): Promise<void> {
  for (let looks = 0; looks < LOOKS_MAX && orphans.some(isAlive); looks++) {
    await stat("/proc/self").catch(() => undefined);
  }
}

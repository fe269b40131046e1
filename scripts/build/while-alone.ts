import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";

const RETRY_MS = 50;
/** Longer than any build; whoever has waited for it finds somebody else's fault. */
const WAIT_MS_MAX = 120_000;

/**
 * Runs `work` while no other process does in `folder`. Test files run side by side, and each has the program built: one
 * that reads what another is writing starts something else, or nothing. What a process left that was killed is taken over.
 */
export async function whileAlone<T>(folder: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, ".building");
  for (let waitedMs = 0; !isTaken(lock); waitedMs += RETRY_MS) {
    if (waitedMs >= WAIT_MS_MAX) throw new Error(`another build holds ${lock}`);
    await passed(RETRY_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Whether it is ours now. */
function isTaken(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
    if (!isHeld(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isHeld(lock: string): boolean {
  try {
    const pid = Number(readFileSync(lock, "utf8"));
    if (pid > 0) process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isCode(error, "ESRCH"); // gone meanwhile is as good as held: we try again
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

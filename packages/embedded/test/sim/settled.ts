import { RealClock } from "@rouse/shared";
import type { VirtualClock } from "@rouse/shared/testing";

const STEP_MS = 10;
const STEPS_MAX = 5_000;
/** What is left by then may wait for the disk, which knows no virtual time. */
const STEPS_PATIENT = 500;
const DISK_MS = 2;

/** Lets time pass in small steps until `work` is done. Throws if it takes too long. */
export async function settled<R>(clock: VirtualClock, work: Promise<R>): Promise<R> {
  const disk = new RealClock();
  let isDone = false;
  const watched = work.finally(() => {
    isDone = true;
  });
  watched.catch(() => {});
  for (let step = 0; step < STEPS_MAX && !isDone; step++) {
    await clock.advanceAsync(STEP_MS);
    if (step > STEPS_PATIENT) await new Promise<void>((resolve) => void disk.after(DISK_MS, resolve));
  }
  if (!isDone) throw new Error(`nothing came of it in ${(STEP_MS * STEPS_MAX) / 1_000} s`);
  return watched;
}

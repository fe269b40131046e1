import { stat } from "node:fs/promises";
import type { VirtualClock } from "@rouse/shared/testing";

const STEP_MS = 10;
const STEPS_MAX = 5_000;
/** What is left by then may wait for the disk, which knows no virtual time. */
const STEPS_PATIENT = 500;
/** Asked so often in a row, which takes it a millisecond or two. */
const DISK_CALLS = 20;

/** Lets time pass in small steps until `work` is done. Throws if it takes too long. */
export async function settled<R>(clock: VirtualClock, work: Promise<R>): Promise<R> {
  let isDone = false;
  const watched = work.finally(() => {
    isDone = true;
  });
  watched.catch(() => {});
  for (let step = 0; step < STEPS_MAX && !isDone; step++) {
    await clock.advanceAsync(STEP_MS);
    if (step > STEPS_PATIENT) await diskHadItsTurn();
  }
  if (!isDone) throw new Error(`nothing came of it in ${(STEP_MS * STEPS_MAX) / 1_000} s`);
  return watched;
}

/** By asking the disk itself: a timer of ours would not keep the process alive, and nothing else may be left. */
async function diskHadItsTurn(): Promise<void> {
  for (let call = 0; call < DISK_CALLS; call++) await stat(".");
}

import type { VirtualClock } from "@rouse/shared/testing";

const STEP_MS = 10;
const STEPS_MAX = 5_000;

/** Lets time pass in small steps until `work` is done. Throws if it takes too long. */
export async function settled<R>(clock: VirtualClock, work: Promise<R>): Promise<R> {
  let isDone = false;
  const watched = work.finally(() => {
    isDone = true;
  });
  watched.catch(() => {});
  for (let step = 0; step < STEPS_MAX && !isDone; step++) await clock.advanceAsync(STEP_MS);
  if (!isDone) throw new Error(`nothing came of it in ${(STEP_MS * STEPS_MAX) / 1_000} s`);
  return watched;
}

import { SIDECAR_FLAGS } from "@rouse/shared/testing";
import { type Benchmark, result } from "./benchmark.ts";
import { soak } from "./overlap/soak.ts";

const SECONDS = { quick: 5, full: 600 } as const;
const PER_SECOND = 1_000;

/** The sidecar as a process, one place, and clients that leave whenever they like. Q-47 and the figures. */
export const overlap: Benchmark = {
  name: "overlap",
  question:
    "Does a program with containerConcurrency 1 ever see two requests at once, at 1,000 a second with random aborts?",
  run: async ({ isQuick, root, progress }) => {
    const seconds = isQuick ? SECONDS.quick : SECONDS.full;
    const seen = await soak({ root, seconds, perSecond: PER_SECOND, progress, flags: SIDECAR_FLAGS });
    if (seen.overlaps > 0) throw new Error(`${seen.overlaps} overlaps in ${seen.sent} requests`);
    return [
      result("overlaps", "", seen.overlaps),
      result("requests sent", "", seen.sent),
      result("answered 200", "", seen.answered),
      result("turned away, queue full", "", seen.turnedAway),
      result("left by their clients", "", seen.left),
      result("other answers and broken connections", "", seen.other),
      result("private memory, idle", "KiB", seen.idleKib),
      result("private memory, highest under load", "KiB", seen.loadedKib),
      result("resident memory, highest under load", "KiB", seen.residentKib),
      result("processor time per request", "µs", seen.cpuUsPerRequest),
    ];
  },
};

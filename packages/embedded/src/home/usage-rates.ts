import type { PodUsage, Usage } from "@rouse/autoscaler";
import type { Clock, MonoMs, ObjectKey } from "@rouse/shared";

/** A pod nobody has asked about for so long is gone, or starts anew. */
const FORGOTTEN_MS = 120_000;

/** What a pod's processes have used since they began, and hold now. */
interface UsedSoFar {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

interface Reading {
  readonly cpuSeconds: number;
  readonly at: MonoMs;
}

/** Turns CPU time into a rate: over the time since the question before, so the first one about a pod learns its memory alone. */
export class UsageRates implements PodUsage {
  readonly #clock: Pick<Clock, "now">;
  readonly #usedBy: (pod: ObjectKey) => UsedSoFar | undefined;
  /** Pods of the last question. */
  #before: ReadonlyMap<ObjectKey, Reading> = new Map();

  constructor(clock: Pick<Clock, "now">, usedBy: (pod: ObjectKey) => UsedSoFar | undefined) {
    this.#clock = clock;
    this.#usedBy = usedBy;
  }

  usage(pods: readonly ObjectKey[]): ReadonlyMap<ObjectKey, Usage> {
    const at = this.#clock.now();
    const seen = new Map(this.#before);
    const answer = new Map<ObjectKey, Usage>();
    for (const pod of pods) {
      const used = this.#usedBy(pod);
      const before = seen.get(pod);
      if (used === undefined) {
        seen.delete(pod);
        continue;
      }
      seen.set(pod, { cpuSeconds: used.cpuSeconds, at });
      answer.set(pod, { cpuMilli: rate(used.cpuSeconds, before, at), memoryBytes: used.memoryBytes });
    }
    for (const [pod, before] of seen) if (at - before.at > FORGOTTEN_MS) seen.delete(pod);
    this.#before = seen;
    return answer;
  }
}

function rate(cpuSeconds: number, before: Reading | undefined, at: MonoMs): number | undefined {
  if (before === undefined || before.at >= at) return undefined;
  // A process that has ended takes its time with it.
  return (Math.max(0, cpuSeconds - before.cpuSeconds) * 1_000_000) / (at - before.at);
}

import type { Stat } from "@rouse/shared";
import { isRecordable } from "../receive/load.ts";

/** Name under which the combined stat of a revision's pods is recorded. S-42. */
const SCRAPED_NAME = "service-scraper";

/** What asking a revision's pods came to. S-47, S-48. */
export type ScrapeOutcome =
  | { readonly kind: "scraped"; readonly stat: Stat }
  | { readonly kind: "failed"; readonly answered: number; readonly of: number };

/**
 * Asks pods in order until `sample` of them have answered, that many at a time, and extends the answers to all of
 * them. Too few answers are none: a part taken for the whole would scale the revision down. S-47, S-48, S-50.
 */
export async function scrapeRevision<P>(
  pods: readonly P[],
  sample: number,
  ask: (pod: P) => Promise<Stat | undefined>,
): Promise<ScrapeOutcome> {
  const stats: Stat[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < pods.length) {
      const pod = pods[next++];
      if (pod === undefined) return;
      const stat = await answerOf(pod, ask);
      if (stat === undefined) continue;
      stats.push(stat);
      return;
    }
  };
  await Promise.all(Array.from({ length: sample }, work));
  if (stats.length < sample) return { kind: "failed", answered: stats.length, of: sample };
  return { kind: "scraped", stat: extrapolated(stats, pods.length) };
}

/** A pod that does not answer is passed over; which error it was makes no difference to the next one. */
async function answerOf<P>(pod: P, ask: (pod: P) => Promise<Stat | undefined>): Promise<Stat | undefined> {
  try {
    const stat = await ask(pod);
    return stat !== undefined && isRecordable(stat) ? stat : undefined;
  } catch {
    return undefined;
  }
}

/** Each number is the sample's mean times the population. S-50, V-32. */
export function extrapolated(sample: readonly Stat[], population: number): Stat {
  const factor = sample.length === 0 ? 0 : population / sample.length;
  const total = (of: (stat: Stat) => number): number =>
    sample.reduce((sum, stat) => sum + of(stat), 0) * factor;
  return {
    podName: SCRAPED_NAME,
    averageConcurrentRequests: total((stat) => stat.averageConcurrentRequests),
    averageProxiedConcurrentRequests: total((stat) => stat.averageProxiedConcurrentRequests),
    requestCount: total((stat) => stat.requestCount),
    proxiedRequestCount: total((stat) => stat.proxiedRequestCount),
    processUptime: 0,
    timestamp: 0,
  };
}

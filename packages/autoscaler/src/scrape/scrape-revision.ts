import type { Stat } from "@rouse/shared";
import { isRecordable } from "../receive/load.ts";
import { type ScrapeFailure, scrapeFailure } from "./scrape-failure.ts";

/** Name under which the combined stat of a revision's pods is recorded. S-42. */
const SCRAPED_NAME = "service-scraper";

/** What asking a revision's pods came to. S-47, S-48. */
export type ScrapeOutcome =
  | { readonly kind: "scraped"; readonly stat: Stat }
  | {
      readonly kind: "failed";
      readonly answered: number;
      readonly of: number;
      /** What the others failed with, in the order they did; a pod that said nothing is not among them. */
      readonly failures: readonly ScrapeFailure[];
    };

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
  const failures: ScrapeFailure[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < pods.length) {
      const pod = pods[next++];
      if (pod === undefined) return;
      try {
        const stat = await ask(pod);
        if (stat === undefined || !isRecordable(stat)) continue;
        stats.push(stat);
        return;
      } catch (error) {
        failures.push(scrapeFailure(error)); // the next pod may answer
      }
    }
  };
  await Promise.all(Array.from({ length: sample }, work));
  if (stats.length < sample) return { kind: "failed", answered: stats.length, of: sample, failures };
  return { kind: "scraped", stat: extrapolated(stats, pods.length) };
}

/** Nobody answered, and whatever did answer said 502 or 503: a mesh may stand between us and single pods. S-48. */
export function isDirectUnavailable(outcome: ScrapeOutcome): boolean {
  return (
    outcome.kind === "failed" &&
    outcome.answered === 0 &&
    outcome.failures.length > 0 &&
    outcome.failures.every(({ kind }) => kind === "mesh")
  );
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

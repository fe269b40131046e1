import type { Stat } from "@rouse/shared";
import { isRecordable } from "../receive/load.ts";
import { ScrapeFailure, scrapeFailure } from "./scrape-failure.ts";
import { extrapolated, type ScrapeOutcome } from "./scrape-revision.ts";

/** A worker gives up with its error at this try. S-49. */
const TRIES_MAX = 10;

/**
 * Asks the Service until `sample` of its pods have answered, where single pods cannot be reached: each answer comes
 * from a pod of chance, and one heard before does not count. Pods older than the window speak for it; young ones only
 * fill up. S-49.
 */
export async function scrapeService(
  population: { readonly pods: number; readonly sample: number; readonly oldAfterSeconds: number },
  ask: () => Promise<Stat>,
): Promise<ScrapeOutcome> {
  const { pods, sample, oldAfterSeconds } = population;
  const heard = new Set<string>();
  const old: Stat[] = [];
  const young: Stat[] = [];
  const failures: ScrapeFailure[] = [];

  const work = async (): Promise<void> => {
    for (let tries = 1; ; tries++) {
      try {
        const stat = await ask();
        if (!isRecordable(stat)) throw new ScrapeFailure("other", "an empty stat");
        if (heard.has(stat.podName))
          throw new ScrapeFailure("no-new-stat", "no pod that had not answered yet");
        heard.add(stat.podName);
        if (stat.processUptime >= oldAfterSeconds) {
          old.push(stat);
          return;
        }
        if (young.length >= sample) return;
        young.push(stat);
      } catch (error) {
        if (tries < TRIES_MAX) continue;
        failures.push(scrapeFailure(error));
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: sample }, work));

  const answered = old.length + young.length;
  const isEnough = answered >= sample && failures.every(({ kind }) => kind === "no-new-stat");
  if (!isEnough) return { kind: "failed", answered, of: sample, failures };
  const counted = [...old, ...young.slice(0, Math.max(0, sample - old.length))];
  return { kind: "scraped", stat: extrapolated(counted, pods) };
}

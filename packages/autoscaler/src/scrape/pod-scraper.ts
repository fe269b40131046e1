import type { Stat } from "@rouse/shared";

/** Asks one pod's queue-proxy for its load: over HTTP in a cluster, by a call in the embedded home. */
export interface PodScraper {
  /** The pod's current reporting period; `undefined` or a rejection if it did not answer. */
  scrape(pod: {
    readonly namespace: string;
    readonly name: string;
    readonly ip: string;
  }): Promise<Stat | undefined>;
}

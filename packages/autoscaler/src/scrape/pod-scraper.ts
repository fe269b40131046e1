import type { Stat } from "@rouse/shared";

export interface ScrapedPod {
  readonly namespace: string;
  readonly name: string;
  readonly ip: string;
}

/** The private Service of a revision. */
export interface ScrapeTarget {
  readonly namespace: string;
  readonly serviceName: string;
}

/** Asks one pod's queue-proxy for its load: over HTTP in a cluster, by a call in the embedded home. */
export interface PodScraper {
  /**
   * The pod's current reporting period; `undefined` or a rejection if it did not answer. A rejection with a
   * `ScrapeFailure` of kind `mesh` means that single pods may not be reachable at all.
   */
  scrape(pod: ScrapedPod, target: ScrapeTarget): Promise<Stat | undefined>;
  /** The period of one pod the Service leads to; absent where no Service has to stand in for its pods. S-49. */
  scrapeAny?(target: ScrapeTarget): Promise<Stat>;
}

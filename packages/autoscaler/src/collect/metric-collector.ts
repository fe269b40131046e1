import type { Clock, Random, RevisionKey, Stat } from "@rouse/shared";
import type { ScalingMetric } from "../config/revision-settings.ts";
import type { PodLedger } from "../pods/pod-ledger.ts";
import { loadOf, takenAt } from "../receive/load.ts";
import type { PodScraper } from "../scrape/pod-scraper.ts";
import { sampleSize, scrapeOrder } from "../scrape/scrape-plan.ts";
import { scrapeRevision } from "../scrape/scrape-revision.ts";
import { type Averages, Collection, type CollectionSpec } from "./collection.ts";

/** Whether a revision's pods can be asked for their load. */
export type CollectionHealth =
  | { readonly kind: "healthy" }
  | { readonly kind: "failing"; readonly message: string };

export interface MetricCollectorDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly pods: Pick<PodLedger, "counts" | "readyPods">;
  readonly scraper: PodScraper;
  /** Told when the health of a collection changes. */
  readonly onHealth: (revision: RevisionKey) => void;
}

interface Entry {
  readonly collection: Collection;
  health: CollectionHealth;
  isScraping: boolean;
}

/** `all`: every pod is asked, for when that is a function call. `statistical`: as many as S-46 says. */
export type ScrapeSample = "all" | "statistical";

const healthy: CollectionHealth = { kind: "healthy" };

/** The windows of every revision, fed by activators and by asking pods. One entry per Metric object. S-41. */
export class MetricCollector {
  readonly #deps: MetricCollectorDeps;
  readonly #sample: ScrapeSample;
  readonly #entries = new Map<RevisionKey, Entry>();

  constructor(deps: MetricCollectorDeps, sample: ScrapeSample) {
    this.#deps = deps;
    this.#sample = sample;
  }

  ensure(revision: RevisionKey, spec: CollectionSpec): void {
    const entry = this.#entries.get(revision);
    if (entry === undefined) {
      this.#entries.set(revision, { collection: new Collection(spec), health: healthy, isScraping: false });
    } else {
      entry.collection.respec(spec, this.#deps.clock.now());
    }
  }

  remove(revision: RevisionKey): void {
    this.#entries.delete(revision);
  }

  health(revision: RevisionKey): CollectionHealth {
    return this.#entries.get(revision)?.health ?? healthy;
  }

  /** `false` if nobody collects for the revision: the stat is dropped. S-39. */
  record(revision: RevisionKey, stat: Stat): boolean {
    const entry = this.#entries.get(revision);
    if (entry === undefined) return false;
    const { clock } = this.#deps;
    entry.collection.record(loadOf(stat), takenAt(stat, { mono: clock.now(), wall: clock.wall() }));
    return true;
  }

  /** `undefined`: not collecting, or no data. */
  averages(revision: RevisionKey, metric: ScalingMetric): Averages | undefined {
    const entry = this.#entries.get(revision);
    const isFailing = entry?.health.kind === "failing";
    return entry?.collection.averages(metric, this.#deps.clock.now(), { isFailing });
  }

  isEmpty(revision: RevisionKey): boolean {
    return this.#entries.get(revision)?.collection.isEmpty(this.#deps.clock.now()) ?? true;
  }

  /** Gives back the memory of a revision that has nothing to remember. */
  release(revision: RevisionKey): void {
    this.#entries.get(revision)?.collection.release(this.#deps.clock.now());
  }

  /** Asks the revision's pods, unless the last round is still on its way. Never rejects. S-41, S-42. */
  async scrape(revision: RevisionKey): Promise<void> {
    const entry = this.#entries.get(revision);
    if (entry === undefined || entry.isScraping || entry.collection.spec.scrapeTarget === "") return;
    const pods = this.#deps.pods.readyPods(revision);
    if (pods.length === 0) {
      this.#setHealth(revision, entry, healthy); // nobody to ask is no error: S-47
      return;
    }
    entry.isScraping = true;
    const sample = this.#sample === "all" ? pods.length : sampleSize(pods.length);
    const oldSince = this.#deps.clock.wall() - entry.collection.spec.stableSeconds * 1_000;
    const order = scrapeOrder(pods, { sample, oldSince, random: this.#deps.random });
    const outcome = await scrapeRevision(order, sample, (pod) => this.#deps.scraper.scrape(pod));
    entry.isScraping = false;
    switch (outcome.kind) {
      case "scraped":
        entry.collection.record(loadOf(outcome.stat), this.#deps.clock.now());
        this.#setHealth(revision, entry, healthy);
        break;
      case "failed":
        this.#setHealth(revision, entry, {
          kind: "failing",
          message: `${outcome.answered} of ${outcome.of} pods asked for their load answered`,
        });
        break;
    }
  }

  #setHealth(revision: RevisionKey, entry: Entry, health: CollectionHealth): void {
    if (entry.health.kind === health.kind) return;
    entry.health = health;
    if (this.#entries.get(revision) === entry) this.#deps.onHealth(revision);
  }
}

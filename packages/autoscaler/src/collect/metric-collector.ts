import { type Clock, objectRef, type Random, type RevisionKey, type Stat } from "@rouse/shared";
import type { MeshMode } from "../config/mesh-config.ts";
import type { ScalingMetric } from "../config/revision-settings.ts";
import { objectKeyOf } from "../keys.ts";
import type { PodLedger, ReadyPod } from "../pods/pod-ledger.ts";
import { loadOf, takenAt } from "../receive/load.ts";
import type { PodScraper, ScrapeTarget } from "../scrape/pod-scraper.ts";
import { ScrapeFailure } from "../scrape/scrape-failure.ts";
import { sampleSize, scrapeOrder } from "../scrape/scrape-plan.ts";
import { isDirectUnavailable, type ScrapeOutcome, scrapeRevision } from "../scrape/scrape-revision.ts";
import { scrapeService } from "../scrape/scrape-service.ts";
import { type Averages, Collection, type CollectionMemory, type CollectionSpec } from "./collection.ts";

/** Whether a revision's pods can be asked for their load. */
export type CollectionHealth =
  | { readonly kind: "healthy" }
  | {
      readonly kind: "failing";
      /** S-67. */
      readonly reason: "DidNotReceiveStat" | "CollectionFailed";
      readonly message: string;
    };

export interface MetricCollectorDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly pods: Pick<PodLedger, "counts" | "readyPods">;
  readonly scraper: PodScraper;
  /** Nobody reports what a revision without a scrape target is sent, while there is none. K-91. */
  readonly readyActivators: () => number;
  /** Told of load that pods have and no activator knows of, once it is recorded. */
  readonly onLoad?: (revision: RevisionKey, stat: Stat) => void;
  /** Told how long a round took that asked somebody. S-128. */
  readonly onScraped?: (revision: RevisionKey, seconds: number) => void;
  /** Told when the health of a collection changes. */
  readonly onHealth: (revision: RevisionKey) => void;
}

interface Entry {
  readonly collection: Collection;
  health: CollectionHealth;
  isScraping: boolean;
  /** Single pods turned out to be out of reach; until the Metric is looked at again. S-51, S-53. */
  isServiceOnly: boolean;
  /** What each pod had in flight when last asked. Kept for pods that are ready, none where none is asked. */
  readonly inFlight: Map<string, number>;
}

export interface MetricCollectorOptions {
  readonly sample: ScrapeSample;
  readonly mesh: MeshMode;
}

/** `all`: every pod is asked, for when that is a function call. `statistical`: as many as S-46 says. */
export type ScrapeSample = "all" | "statistical";

const healthy: CollectionHealth = { kind: "healthy" };

/** The windows of every revision, fed by activators and by asking pods. One entry per Metric object. S-41. */
export class MetricCollector {
  readonly #deps: MetricCollectorDeps;
  readonly #options: MetricCollectorOptions;
  readonly #entries = new Map<RevisionKey, Entry>();
  readonly #remembered = new Map<
    RevisionKey,
    { readonly memory: CollectionMemory; readonly awayMs: number }
  >();

  constructor(deps: MetricCollectorDeps, options: MetricCollectorOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  ensure(revision: RevisionKey, spec: CollectionSpec): void {
    const entry = this.#entries.get(revision);
    if (entry === undefined) {
      const collection = new Collection(spec);
      const remembered = this.#remembered.get(revision);
      this.#remembered.delete(revision);
      // What is older than the window would be a load nobody can vouch for.
      if (remembered !== undefined && remembered.awayMs <= spec.stableSeconds * 1_000) {
        collection.resume(remembered.memory, this.#deps.clock.now());
      }
      this.#entries.set(revision, {
        collection,
        health: healthy,
        isScraping: false,
        isServiceOnly: false,
        inFlight: new Map(),
      });
    } else {
      entry.isServiceOnly = false;
      entry.collection.respec(spec, this.#deps.clock.now());
    }
  }

  /** What an earlier life knew of a revision; used when its collection is made. */
  remember(revision: RevisionKey, memory: CollectionMemory, awayMs: number): void {
    this.#remembered.set(revision, { memory, awayMs });
  }

  /** What every collection holds, of those that hold anything. */
  *memories(): Generator<readonly [RevisionKey, CollectionMemory]> {
    const now = this.#deps.clock.now();
    for (const [revision, { collection }] of this.#entries) {
      const memory = collection.memory(now);
      if (memory !== undefined) yield [revision, memory];
    }
  }

  remove(revision: RevisionKey): void {
    this.#remembered.delete(revision);
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
    if (entry === undefined) return undefined;
    const isFailing = entry.health.kind === "failing";
    const isReported = entry.collection.spec.scrapeTarget === "" && this.#deps.readyActivators() > 0;
    return entry.collection.averages(metric, this.#deps.clock.now(), { isFailing, isReported });
  }

  isEmpty(revision: RevisionKey): boolean {
    return this.#entries.get(revision)?.collection.isEmpty(this.#deps.clock.now()) ?? true;
  }

  /** Gives back the memory of a revision that has nothing to remember. */
  release(revision: RevisionKey): void {
    this.#entries.get(revision)?.collection.release(this.#deps.clock.now());
  }

  /** What a pod had in flight when it was last asked; `undefined` if it was not. */
  inFlight(revision: RevisionKey, pod: string): number | undefined {
    return this.#entries.get(revision)?.inFlight.get(pod);
  }

  /** Asks the revision's pods, unless the last round is still on its way. Never rejects. S-41, S-42. */
  async scrape(revision: RevisionKey): Promise<void> {
    const { clock, pods, readyActivators, onScraped, onLoad } = this.#deps;
    const entry = this.#entries.get(revision);
    if (entry === undefined || entry.isScraping) return;
    if (entry.collection.spec.scrapeTarget === "" && readyActivators() > 0) return;
    const ready = pods.readyPods(revision);
    if (ready.length === 0) {
      entry.inFlight.clear();
      this.#setHealth(revision, entry, healthy); // nobody to ask is no error: S-47
      return;
    }
    entry.isScraping = true;
    const beganAt = clock.now();
    const outcome = await this.#ask(revision, entry, ready);
    entry.isScraping = false;
    onScraped?.(revision, (clock.now() - beganAt) / 1_000);
    switch (outcome.kind) {
      case "scraped":
        entry.collection.record(loadOf(outcome.stat), clock.now());
        this.#setHealth(revision, entry, healthy);
        if (loadOf(outcome.stat).concurrency > 0) onLoad?.(revision, outcome.stat);
        break;
      case "failed":
        this.#setHealth(revision, entry, failing(outcome));
        break;
    }
  }

  /** Of the pods, or of their Service, as the mesh allows. S-47, S-49, S-51. */
  async #ask(revision: RevisionKey, entry: Entry, ready: readonly ReadyPod[]): Promise<ScrapeOutcome> {
    const { scraper, clock, random } = this.#deps;
    const { mesh } = this.#options;
    const { scrapeTarget, stableSeconds } = entry.collection.spec;
    const target: ScrapeTarget = {
      namespace: objectRef(objectKeyOf(revision)).namespace,
      serviceName: scrapeTarget,
    };
    const sample = this.#options.sample === "all" ? ready.length : sampleSize(ready.length);
    const askService = (): Promise<ScrapeOutcome> =>
      scrapeService(
        { pods: ready.length, sample: sampleSize(ready.length), oldAfterSeconds: stableSeconds },
        () =>
          scraper.scrapeAny === undefined || scrapeTarget === ""
            ? Promise.reject(new ScrapeFailure("other", "no Service to ask"))
            : scraper.scrapeAny(target),
      );
    if (mesh === "enabled" || entry.isServiceOnly) return await askService();
    const oldSince = clock.wall() - stableSeconds * 1_000;
    const order = scrapeOrder(ready, { sample, oldSince, random });
    const seen = new Map<string, number>();
    const direct = await scrapeRevision(order, sample, async (pod) => {
      const stat = await scraper.scrape(pod, target);
      if (stat !== undefined) seen.set(pod.name, stat.averageConcurrentRequests);
      return stat;
    });
    keep(entry.inFlight, seen, ready);
    if (mesh !== "auto" || scraper.scrapeAny === undefined || !isDirectUnavailable(direct)) return direct;
    const viaService = await askService();
    if (viaService.kind === "scraped") entry.isServiceOnly = true;
    return viaService;
  }

  #setHealth(revision: RevisionKey, entry: Entry, health: CollectionHealth): void {
    if (reasonOf(entry.health) === reasonOf(health)) return;
    entry.health = health;
    if (this.#entries.get(revision) === entry) this.#deps.onHealth(revision);
  }
}

function reasonOf(health: CollectionHealth): string | undefined {
  return health.kind === "failing" ? health.reason : undefined;
}

function failing({ answered, of, failures }: Extract<ScrapeOutcome, { kind: "failed" }>): CollectionHealth {
  const first = failures[0];
  const isUnheard = failures.length > 0 && failures.every(({ kind }) => kind === "no-new-stat");
  return {
    kind: "failing",
    reason: isUnheard ? "DidNotReceiveStat" : "CollectionFailed",
    message: `${answered} of ${of} pods asked for their load answered${first === undefined ? "" : `; ${first.message}`}`,
  };
}

function keep(
  kept: Map<string, number>,
  seen: ReadonlyMap<string, number>,
  ready: readonly ReadyPod[],
): void {
  const names = new Set(ready.map(({ name }) => name));
  for (const name of kept.keys()) if (!names.has(name)) kept.delete(name);
  for (const [name, load] of seen) kept.set(name, load);
}

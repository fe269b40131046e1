import {
  ACTIVATOR_SERVICE,
  type Clock,
  type Deployment,
  DeploymentKind,
  type Endpoints,
  EndpointsKind,
  EventRecorder,
  HorizontalPodAutoscalerKind,
  Informer,
  type KubeClient,
  type Lister,
  type Logger,
  labels,
  MetricKind,
  type ObjectKey,
  objectKey,
  type PodAutoscaler,
  PodAutoscalerKind,
  PodKind,
  type Random,
  ReconcileLoop,
  type RevisionKey,
  rouse,
  ServerlessServiceKind,
  type StatMessage,
  type StatSink,
  type Stored,
  type StoredMeta,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import { Companions } from "./apply/companions.ts";
import { DeletionCosts } from "./apply/deletion-costs.ts";
import { PodAutoscalerReconciler } from "./apply/pod-autoscaler-reconciler.ts";
import { ScaleTarget } from "./apply/scale-target.ts";
import { Scaling } from "./apply/scaling.ts";
import { MetricCollector, type ScrapeSample } from "./collect/metric-collector.ts";
import { MetricReconciler } from "./collect/metric-reconciler.ts";
import { LiveConfig } from "./config/live-config.ts";
import { type MeshConfig, readMeshConfig } from "./config/mesh-config.ts";
import { MultiScaler } from "./decide/multi-scaler.ts";
import { Pulse } from "./decide/pulse.ts";
import type { Explanation } from "./explain/explanation.ts";
import { scaleNote } from "./explain/scale-note.ts";
import { type Ownership, ownsEverything } from "./forward/ownership.ts";
import { HpaReconciler } from "./hpa/hpa-reconciler.ts";
import { objectKeyOf, revisionOf } from "./keys.ts";
import { PodLedger } from "./pods/pod-ledger.ts";
import type { ActivatorProbe } from "./probe/activator-probe.ts";
import { Confirmations } from "./probe/confirmations.ts";
import { isRecordable } from "./receive/load.ts";
import { gaugesText, histogramText, type Sample } from "./report/exposition.ts";
import { revisionGauges } from "./report/revision-gauges.ts";
import { ScrapeDurations } from "./report/scrape-durations.ts";
import { type SnapshotStore, WindowMemory } from "./resume/window-memory.ts";
import { Schedules } from "./schedule/schedules.ts";
import type { PodScraper } from "./scrape/pod-scraper.ts";

/** Passes wait for probes; that of one revision must not hold up the waking of another. */
const WORKERS = 32;
/** A beat is a second, a tick two. S-79. */
const BEATS_PER_TICK = 2;
/** A confirmation found in the background is only a hint: the pass asks again itself, after this. S-108. */
const RECHECK_AFTER_ASKING_MS = 1_000;
/** Everything is looked at this often whatever happens: a missed event must not last for ever. S-120. */
const RESYNC_MS = 36_000_000;
const SCRAPE_DURATION = "kn.autoscaler.scrape.duration";

export interface AutoscalerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly scraper: PodScraper;
  readonly activatorProbe: ActivatorProbe;
  readonly log: Logger;
}

export interface AutoscalerOptions {
  /** Whether pods are told what removing them costs, for those who remove them. Default no. */
  readonly writesDeletionCosts?: boolean;
  /** Keeps the windows over a restart; absent, a new life starts from nothing, with the caution of S-76. */
  readonly snapshots?: SnapshotStore;
  /** Absent, every revision is its own. */
  readonly ownership?: Ownership;
  /** How many of a revision's pods are asked each second. Default `all`: right where that is a function call. */
  readonly scrapeSample?: ScrapeSample;
}

/** What is started first to last and closed last to first. */
interface Follower extends Disposable {
  start(): Promise<void>;
}

/**
 * From reports of load to replicas, for every revision of the KPA class: activators send, pods are asked, windows
 * average, deciders decide, passes apply. S-1, S-2.
 */
export class Autoscaler implements StatSink, AsyncDisposable {
  readonly #collector: MetricCollector;
  readonly #scaler: MultiScaler;
  readonly #pulse: Pulse;
  readonly #ledger: PodLedger;
  readonly #reconciler: PodAutoscalerReconciler;
  readonly #followers: readonly Follower[];
  readonly #running: readonly Disposable[];
  readonly #metrics: () => string;
  readonly #clock: Clock;
  readonly #memory: WindowMemory | undefined;
  readonly #lookAgain: () => void;
  #resync: Disposable | undefined;
  #isClosed = false;

  /** @throws Error if `config-autoscaler` or `config-deployment` is rejected at first load. S-5 */
  static async start(deps: AutoscalerDeps, options: AutoscalerOptions = {}): Promise<Autoscaler> {
    const autoscaler = new Autoscaler(deps, options, await readMeshConfig(deps.client));
    try {
      await autoscaler.#memory?.recall();
      for (const follower of autoscaler.#followers) await follower.start();
      autoscaler.#planResync();
    } catch (error) {
      await autoscaler.close();
      throw error;
    }
    return autoscaler;
  }

  private constructor(deps: AutoscalerDeps, options: AutoscalerOptions, mesh: MeshConfig) {
    const { client, clock, random, log } = deps;
    const { scrapeSample = "all", ownership = ownsEverything } = options;
    const onError = (reconciler: string, key: ObjectKey, error: unknown): void =>
      log.warn("pass failed", {
        reconciler,
        key,
        error: error instanceof Error ? error.message : String(error),
      });

    const config = new LiveConfig({ ...deps, onChange: () => this.lookAgain() }); // S-6
    const scrapes = new ScrapeDurations();
    const ledger = new PodLedger((revision) => {
      pulse.wake(revision);
      passes.add(objectKeyOf(revision));
    });
    const collector = new MetricCollector(
      {
        clock,
        random,
        pods: ledger,
        scraper: deps.scraper,
        readyActivators: () => readyActivators(),
        onScraped: (_, seconds) => scrapes.observe(seconds),
        onLoad: (revision, stat) => scaler.poke(revision, stat),
        onHealth: (revision) => metricPasses.add(objectKeyOf(revision)),
      },
      { sample: scrapeSample, mesh: mesh.mode },
    );
    const scaler = new MultiScaler({
      clock,
      collector,
      pods: ledger,
      onDecision: (revision) => passes.add(objectKeyOf(revision)),
      onAwake: (revision) => pulse.wake(revision),
    });
    const memory =
      options.snapshots === undefined
        ? undefined
        : new WindowMemory({ clock, log, store: options.snapshots, collector, scaler });
    const pulse = new Pulse(clock, (revision, beat) => {
      memory?.touch();
      void collector.scrape(revision);
      if (beat % BEATS_PER_TICK !== 0) return "awake";
      return scaler.evaluate(revision) === "settled" ? "asleep" : "awake";
    });
    const confirmations = new Confirmations({
      clock,
      probe: deps.activatorProbe,
      onOver: (key) => passes.addAfter(key, RECHECK_AFTER_ASKING_MS),
    });

    const pods = new Informer(deps, PodKind, { labelSelector: labels.revision }).handle(ledger);
    const activators = new Informer(deps, EndpointsKind, {
      namespace: SYSTEM_NAMESPACE,
      fieldSelector: `metadata.name=${ACTIVATOR_SERVICE}`,
    });
    const readyActivators = (): number =>
      readyAddresses(activators.get(objectKey({ namespace: SYSTEM_NAMESPACE, name: ACTIVATOR_SERVICE })));
    const deployments = new Informer(deps, DeploymentKind, { labelSelector: labels.revision }).handle({
      changed: (deployment, before) => {
        if (deployment.spec.replicas !== before?.spec.replicas) addPassOf(deployment);
      },
      removed: () => {},
    });
    const serverlessServices = new Informer(deps, ServerlessServiceKind).handle({
      changed: ({ metadata }) => addPassesOf(metadata),
      removed: ({ metadata }) => addPassesOf(metadata),
    });
    const metrics = new Informer(deps, MetricKind).handle({
      changed: ({ metadata }, before) => {
        metricPasses.add(objectKey(metadata));
        if (before?.metadata.generation !== metadata.generation) passes.add(objectKey(metadata));
      },
      removed: ({ metadata }) => {
        metricPasses.add(objectKey(metadata));
        passes.add(objectKey(metadata));
      },
    });
    const autoscalers = new Informer(deps, PodAutoscalerKind).handle({
      changed: (autoscaler) => {
        passes.add(objectKey(autoscaler.metadata));
        hpaPasses.add(objectKey(autoscaler.metadata));
      },
      removed: ({ metadata }) => passes.add(objectKey(metadata)),
    });
    const hpas = new Informer(deps, HorizontalPodAutoscalerKind).handle({
      changed: ({ metadata }) => hpaPasses.add(objectKey(metadata)),
      removed: ({ metadata }) => hpaPasses.add(objectKey(metadata)),
    });

    const scaling = new Scaling({
      clock,
      config,
      scaler,
      target: new ScaleTarget(client, deployments),
      confirmations,
      readyActivators,
      ...(options.writesDeletionCosts === true
        ? { deletionCosts: new DeletionCosts({ client, log, pods: ledger, collector }) }
        : {}),
    });
    const companions = new Companions({ client, serverlessServices, metrics });
    const events = new EventRecorder({ client, clock, log });
    const reconciler = new PodAutoscalerReconciler({
      client,
      clock,
      autoscalers,
      companions,
      scaling,
      pods: ledger,
      scaler,
      config,
      ownership,
      schedules: new Schedules((autoscaler, problem) =>
        events.record(reconciler.name, autoscaler, {
          type: "Warning",
          reason: "ScheduleIgnored",
          message: `${rouse.schedule}: ${problem}`,
        }),
      ),
      changed: (autoscaler, applied) =>
        events.record(
          reconciler.name,
          autoscaler,
          scaleNote(applied, scaler.explain(revisionOf(objectKey(autoscaler.metadata)))),
        ),
    });
    const passes = new ReconcileLoop({ clock, onError }, reconciler, { workers: WORKERS });
    const hpaPasses = new ReconcileLoop(
      { clock, onError },
      new HpaReconciler({ client, clock, autoscalers, hpas, companions, config, ownership }),
    );
    const metricPasses = new ReconcileLoop(
      { clock, onError },
      new MetricReconciler({
        client,
        clock,
        metrics,
        collector,
        config,
        ownership,
        onCollecting: (revision) => pulse.wake(revision),
      }),
    );
    const addPassesOf = (metadata: StoredMeta): void => {
      passes.add(objectKey(metadata));
      hpaPasses.add(objectKey(metadata));
    };
    const addPassOf = ({ metadata }: Stored<Deployment>): void => {
      const name = metadata.labels?.[labels.revision];
      if (name !== undefined) passes.add(objectKey({ namespace: metadata.namespace, name }));
    };

    this.#lookAgain = () => {
      for (const { metadata } of metrics.list()) metricPasses.addSlow(objectKey(metadata));
      for (const { metadata } of autoscalers.list()) {
        passes.addSlow(objectKey(metadata));
        hpaPasses.addSlow(objectKey(metadata));
      }
    };
    this.#metrics = () =>
      gaugesText([...this.#gauges(autoscalers)]) + histogramText(SCRAPE_DURATION, scrapes.sample());
    this.#clock = clock;
    this.#memory = memory;
    this.#collector = collector;
    this.#scaler = scaler;
    this.#pulse = pulse;
    this.#ledger = ledger;
    this.#reconciler = reconciler;
    // A pass needs all it reads: what brings the first passes comes last.
    this.#followers = [config, activators, pods, deployments, serverlessServices, metrics, hpas, autoscalers];
    this.#running = [pulse, confirmations, passes, hpaPasses, metricPasses];
  }

  /** Takes the activators' reports: records each, and wakes at once what sleeps. S-28, S-39, S-40. */
  send(batch: readonly StatMessage[]): void {
    if (this.#isClosed) return;
    for (const { revision, stat } of batch) {
      if (!isRecordable(stat) || !this.#collector.record(revision, stat)) continue;
      this.#pulse.wake(revision);
      this.#scaler.poke(revision, stat);
    }
  }

  /** Looks at every revision anew, when nothing else waits: after a change of configuration or of ownership. */
  lookAgain(): void {
    this.#lookAgain();
  }

  /** `undefined` if no decider of ours scales the revision. */
  explain(revision: RevisionKey): Explanation | undefined {
    const found = this.#scaler.explain(revision);
    if (found === undefined) return undefined;
    const { spec, mode, desiredPods, excessBurstCapacity } = found.decider;
    return {
      pods: this.#ledger.counts(revision),
      decider: { spec, mode, desiredPods, excessBurstCapacity },
      ticks: found.ticks,
      applied: this.#reconciler.applied(objectKeyOf(revision)),
    };
  }

  /** Everything measured, as Prometheus reads it. S-125..S-128. */
  metrics(): string {
    return this.#metrics();
  }

  /** Revisions that cost anything now: those with pods, or with load inside their window. */
  get awakeRevisions(): number {
    return this.#pulse.awakeCount;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#resync?.[Symbol.dispose]();
    for (const follower of this.#followers.toReversed()) follower[Symbol.dispose]();
    for (const running of this.#running) running[Symbol.dispose]();
    await this.#memory?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  *#gauges(autoscalers: Lister<PodAutoscaler>): Generator<Sample> {
    for (const [revision, spec, evaluation] of this.#scaler.evaluations()) {
      const key = objectKeyOf(revision);
      const autoscaler = autoscalers.get(key);
      if (autoscaler === undefined) continue;
      const requested = this.#reconciler.applied(key)?.want ?? autoscaler.status?.desiredScale;
      const pods = this.#ledger.counts(revision);
      yield* revisionGauges({ autoscaler, spec, evaluation, pods, requested });
    }
  }

  #planResync(): void {
    this.#resync = this.#clock.after(RESYNC_MS, () => {
      this.lookAgain();
      this.#planResync();
    });
  }
}

function readyAddresses(endpoints: Stored<Endpoints> | undefined): number {
  return (endpoints?.subsets ?? []).reduce((sum, { addresses }) => sum + (addresses?.length ?? 0), 0);
}

import {
  ACTIVATOR_SERVICE,
  type Clock,
  type Deployment,
  DeploymentKind,
  type Endpoints,
  type EndpointsSource,
  EventRecorder,
  followEndpoints,
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
  rouse,
  ServerlessServiceKind,
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
import type { MeshConfig } from "./config/mesh-config.ts";
import { MultiScaler } from "./decide/multi-scaler.ts";
import { Pulse } from "./decide/pulse.ts";
import { scaleNote } from "./explain/scale-note.ts";
import { type Ownership, ownsEverything } from "./forward/ownership.ts";
import { HpaReconciler } from "./hpa/hpa-reconciler.ts";
import { objectKeyOf, revisionOf } from "./keys.ts";
import { PodLedger } from "./pods/pod-ledger.ts";
import type { ActivatorProbe } from "./probe/activator-probe.ts";
import { Confirmations } from "./probe/confirmations.ts";
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
  /** Whose objects say how many activators there are; Endpoints unless told. */
  readonly endpointsSource?: EndpointsSource;
}

/** What is started first to last and closed last to first. */
interface Follower extends Disposable {
  start(): Promise<void>;
}

/** The autoscaler's long-lived parts. */
export interface Parts {
  readonly collector: MetricCollector;
  readonly scaler: MultiScaler;
  readonly pulse: Pulse;
  readonly ledger: PodLedger;
  readonly reconciler: PodAutoscalerReconciler;
  readonly autoscalers: Lister<PodAutoscaler>;
  readonly scrapes: ScrapeDurations;
  readonly memory: WindowMemory | undefined;
  /** In the order in which they start; what brings the first passes comes last. */
  readonly followers: readonly Follower[];
  readonly running: readonly Disposable[];
  /** Every revision gets a pass, when nothing else waits. */
  readonly lookAgain: () => void;
}

/** Builds every part once, and follows the API nowhere yet: stats in, windows, decisions, passes. S-1, S-2. */
export function wire(deps: AutoscalerDeps, options: AutoscalerOptions, mesh: MeshConfig): Parts {
  const { client, clock, random, log } = deps;
  const { scrapeSample = "all", ownership = ownsEverything } = options;
  const onError = (reconciler: string, key: ObjectKey, error: unknown): void =>
    log.warn("pass failed", {
      reconciler,
      key,
      error: error instanceof Error ? error.message : String(error),
    });

  const config = new LiveConfig({ ...deps, onChange: () => lookAgain() }); // S-6
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
  const activators = followEndpoints(deps, options.endpointsSource ?? { kind: "endpoints" }, {
    namespace: SYSTEM_NAMESPACE,
    name: ACTIVATOR_SERVICE,
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

  const lookAgain = (): void => {
    for (const { metadata } of metrics.list()) metricPasses.addSlow(objectKey(metadata));
    for (const { metadata } of autoscalers.list()) {
      passes.addSlow(objectKey(metadata));
      hpaPasses.addSlow(objectKey(metadata));
    }
  };
  return {
    collector,
    scaler,
    pulse,
    ledger,
    reconciler,
    autoscalers,
    scrapes,
    memory,
    followers: [config, activators, pods, deployments, serverlessServices, metrics, hpas, autoscalers],
    running: [pulse, confirmations, passes, hpaPasses, metricPasses],
    lookAgain,
  };
}

function readyAddresses(endpoints: Stored<Endpoints> | undefined): number {
  return (endpoints?.subsets ?? []).reduce((sum, { addresses }) => sum + (addresses?.length ?? 0), 0);
}

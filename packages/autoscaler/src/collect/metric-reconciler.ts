import {
  type Clock,
  type ConditionChange,
  ConditionSet,
  done,
  isKubeError,
  type KubeClient,
  type Lister,
  type Metric,
  MetricKind,
  type ObjectKey,
  type Pass,
  type Reconciler,
  type RevisionKey,
  rfc3339,
  writeStatus,
} from "@rouse/shared";
import type { LiveConfig } from "../config/live-config.ts";
import { revisionSettings } from "../config/revision-settings.ts";
import type { Ownership } from "../forward/ownership.ts";
import { revisionOf } from "../keys.ts";
import type { CollectionHealth, MetricCollector } from "./metric-collector.ts";

const NS_IN_SECOND = 1e9;

export interface MetricReconcilerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly metrics: Lister<Metric>;
  readonly collector: MetricCollector;
  readonly config: Pick<LiveConfig, "autoscaler" | "deployment">;
  readonly ownership: Ownership;
  /** Told of a revision that is collected for from now on. */
  readonly onCollecting: (revision: RevisionKey) => void;
}

/** One collection per Metric object, and its health as the object's condition. S-65..S-67. */
export class MetricReconciler implements Reconciler {
  readonly name = "metric";
  readonly #deps: MetricReconcilerDeps;

  constructor(deps: MetricReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const { client, clock, collector, config, metrics, onCollecting, ownership } = this.#deps;
    const revision = revisionOf(key);
    const metric = metrics.get(key);
    const isOurs = ownership.owns(revision);
    if (metric === undefined || metric.metadata.deletionTimestamp !== undefined || !isOurs) {
      collector.remove(revision);
      return done;
    }
    collector.ensure(revision, {
      stableSeconds: wholeSeconds(metric.spec.stableWindow),
      panicSeconds: wholeSeconds(metric.spec.panicWindow),
      scrapeTarget: metric.spec.scrapeTarget,
      aggregation: revisionSettings(metric, config.autoscaler, config.deployment).aggregation,
    });
    onCollecting(revision);
    const conditions = new ConditionSet("Ready", [], metric.status?.conditions);
    conditions.setHappy(readiness(collector.health(revision)));
    const status = {
      observedGeneration: metric.metadata.generation,
      conditions: conditions.list(rfc3339(clock.wall())),
    };
    try {
      await writeStatus(client, MetricKind, metric, status);
    } catch (error) {
      if (!isKubeError(error, "NotFound")) throw error; // deleted meanwhile
    }
    return done;
  }
}

function wholeSeconds(nanoseconds: number): number {
  return Math.max(1, Math.ceil(nanoseconds / NS_IN_SECOND));
}

function readiness(health: CollectionHealth): ConditionChange {
  switch (health.kind) {
    case "healthy":
      return { status: "True" };
    case "failing":
      return { status: "False", reason: health.reason, message: health.message };
  }
}

import { type Condition, ConditionSet, type MonoMs, rfc3339, type WallMs } from "@rouse/shared";
import { activityOf, elapsedMs } from "../apply/activity.ts";
import { boundedScale, minReadyPods, type ScaleBounds } from "../apply/bounds.ts";
import { type ScaleToZero, scaleToZero } from "../apply/scale-to-zero.ts";
import { markActive, markInitialized, podAutoscalerConditions } from "../apply/status.ts";
import { Collection } from "../collect/collection.ts";
import type { AutoscalerConfig } from "../config/autoscaler-config.ts";
import { defaultDeploymentConfig } from "../config/deployment-config.ts";
import { type RevisionSettings, revisionSettings } from "../config/revision-settings.ts";
import { Decider, type Evaluation } from "../decide/decider.ts";
import { type DeciderSpec, deciderSpec } from "../decide/decider-spec.ts";
import type { Load } from "../receive/load.ts";

export interface ScaleModelOptions {
  readonly annotations: Readonly<Record<string, string>>;
  readonly containerConcurrency: number;
  readonly config: AutoscalerConfig;
}

/** One instant, on both clocks. */
export interface Instant {
  readonly mono: MonoMs;
  readonly wall: WallMs;
}

export interface PodsNow {
  readonly ready: number;
  /** Wanted of the Deployment. */
  readonly replicas: number;
}

/** What a pass asks for. */
export interface ScaleOutcome {
  /** `undefined`: leave them as they are. */
  readonly replicas: number | undefined;
  readonly mode: "Serve" | "Proxy";
}

const SERVICE_NAME = "simulated";

/**
 * The decisions about one revision without the API between them: windows, decider, bounds, scale to zero and mode are
 * the ones that run, in their order (S-91). An activator is taken to be confirmed as soon as the mode is Proxy; how long
 * a network takes to follow is what the grace period stands for.
 */
export class ScaleModel {
  readonly #options: ScaleModelOptions;
  readonly #settings: RevisionSettings;
  readonly #spec: DeciderSpec;
  readonly #bounds: ScaleBounds;
  readonly #windows: Collection;
  readonly #decider: Decider;
  #conditions: readonly Condition[] = [];
  #mode: "Serve" | "Proxy" = "Proxy";
  #proxySince: string | undefined;

  constructor(options: ScaleModelOptions, now: Instant) {
    const { annotations, containerConcurrency, config } = options;
    this.#options = options;
    this.#settings = revisionSettings({ metadata: { annotations } }, config, defaultDeploymentConfig);
    const settings = this.#settings;
    const reachability = "Reachable";
    const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: SERVICE_NAME };
    this.#spec = deciderSpec(
      { spec: { containerConcurrency, reachability, scaleTargetRef, protocolType: "http1" } },
      settings,
      config,
    );
    this.#bounds = { min: settings.minScale, max: settings.maxScale };
    const stableSeconds = settings.stableWindowMs / 1_000;
    this.#windows = new Collection({
      stableSeconds,
      panicSeconds: Math.max(1, Math.round((stableSeconds * settings.panicWindowPercentage) / 100)),
      aggregation: settings.aggregation,
      scrapeTarget: SERVICE_NAME,
    });
    this.#decider = new Decider(this.#spec, 0, now.mono);
    this.#proxySince = rfc3339(now.wall);
  }

  /** Pods the revision begins with. */
  get initialScale(): number {
    return Math.max(this.#settings.initialScale, this.#bounds.min);
  }

  /** Whether the decider wants no more than the minimum: by its rate alone it never gets below half of what stands. */
  get isIdle(): boolean {
    return (this.#decider.desiredPods ?? 0) <= this.#bounds.min;
  }

  /** After the last load, the longest it may take until only the minimum is left; pods that start are not counted. */
  get settledAfterMs(): number {
    const { stableWindowMs, scaleDownDelayMs, podRetentionMs } = this.#settings;
    return 2 * stableWindowMs + scaleDownDelayMs + podRetentionMs + this.#options.config.scaleToZeroGraceMs;
  }

  get desiredPods(): number | undefined {
    return this.#decider.desiredPods;
  }

  /** A report of load, of one second. */
  record(load: Load, now: Instant): void {
    this.#windows.record(load, now.mono);
  }

  /** One tick. */
  evaluate(pods: PodsNow, now: Instant): Evaluation {
    const averages = this.#windows.averages(this.#spec.metric, now.mono, {
      isFailing: false,
      isReported: true,
    }) ?? { stable: 0, panic: 0 };
    return this.#decider.decide({ readyPods: pods.ready, ...averages }, now.mono);
  }

  /** One pass. */
  apply(pods: PodsNow, now: Instant): ScaleOutcome {
    const conditions = new ConditionSet("Ready", podAutoscalerConditions, this.#conditions);
    const isInitialized = conditions.get("ScaleTargetInitialized").status === "True";
    const { initialScale } = this.#settings;
    const activity = activityOf({ status: { conditions: this.#conditions } }, now.wall);
    const bounded = boundedScale({
      desiredPods: this.#decider.desiredPods,
      activity: activity.kind,
      bounds: this.#bounds,
      initialScale,
      isInitialized,
      isReachable: true,
    });
    const zero = bounded.pods === 0 ? this.#scaleToZero(pods, now) : undefined;
    const want = zero === undefined ? bounded.pods : zero.kind === "apply" ? zero.pods : wantOf(zero);
    const replicas = zero === undefined ? bounded.pods : zero.kind === "apply" ? zero.pods : undefined;

    const minReady = minReadyPods(this.#bounds, { initialScale, isInitialized });
    const state = { want, readyPods: pods.ready, minReadyPods: minReady, serviceName: SERVICE_NAME };
    markInitialized(conditions, state);
    markActive(conditions, state);
    conditions.set("SKSReady", { status: "True" });
    this.#conditions = conditions.list(rfc3339(now.wall));

    this.#mode = want !== undefined && want > 0 && this.#decider.excessBurstCapacity >= 0 ? "Serve" : "Proxy";
    const isInPath = this.#mode === "Proxy" || pods.ready === 0;
    this.#proxySince = isInPath ? (this.#proxySince ?? rfc3339(now.wall)) : undefined;
    return { replicas, mode: this.#mode };
  }

  #scaleToZero(pods: PodsNow, now: Instant): ScaleToZero {
    const { stableWindowMs, progressDeadlineMs, podRetentionMs } = this.#settings;
    const { isScaleToZeroEnabled, scaleToZeroGraceMs } = this.#options.config;
    const idle = {
      activity: activityOf({ status: { conditions: this.#conditions } }, now.wall),
      isScaleToZeroEnabled,
      stableWindowMs,
      progressDeadlineMs,
      graceMs: scaleToZeroGraceMs,
      retentionMs: podRetentionMs,
      mode: this.#mode,
      proxyForMs: elapsedMs(this.#proxySince, now.wall),
      replicas: pods.replicas,
    };
    const first = scaleToZero({ ...idle, confirmation: "unasked" });
    if (first.kind !== "ask-activator") return first;
    return scaleToZero({ ...idle, confirmation: this.#mode === "Proxy" ? "confirmed" : "denied" });
  }
}

function wantOf(zero: Exclude<ScaleToZero, { kind: "apply" }>): number | undefined {
  return zero.kind === "hold" ? zero.want : 0;
}

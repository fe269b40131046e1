import {
  autoscaling,
  type Clock,
  ConditionSet,
  done,
  findCondition,
  isControlledBy,
  isKubeError,
  type KubeClient,
  type Lister,
  labels,
  type Metric,
  MetricKind,
  type ObjectKey,
  objectKey,
  type Pass,
  type PodAutoscaler,
  PodAutoscalerKind,
  ports,
  type Reconciler,
  rfc3339,
  type ServerlessService,
  ServerlessServiceKind,
  type Stored,
  semanticEqual,
  type WallMs,
  writeStatus,
} from "@rouse/shared";
import { UNLIMITED_BURST } from "../config/autoscaler-config.ts";
import type { LiveConfig } from "../config/live-config.ts";
import { classOf, type RevisionSettings, revisionSettings } from "../config/revision-settings.ts";
import { activatorCount } from "../decide/burst-capacity.ts";
import { type DeciderSpec, deciderSpec } from "../decide/decider-spec.ts";
import type { Decision, MultiScaler } from "../decide/multi-scaler.ts";
import { revisionOf } from "../keys.ts";
import type { PodLedger } from "../pods/pod-ledger.ts";
import type { ProbeTarget } from "../probe/activator-probe.ts";
import type { Confirmations } from "../probe/confirmations.ts";
import { activityOf, elapsedMs } from "./activity.ts";
import { type BoundedScale, boundedScale, minReadyPods, type ScaleBounds, scaleBounds } from "./bounds.ts";
import { OwnWrites } from "./own-writes.ts";
import {
  makeMetric,
  makeServerlessService,
  metricSpec,
  serverlessServiceSpec,
  type WantedMode,
} from "./owned-objects.ts";
import type { ScaleTarget } from "./scale-target.ts";
import { type IdleRevision, type ScaleToZero, scaleToZero, type ZeroReason } from "./scale-to-zero.ts";
import { markActive, markInitialized, podAutoscalerConditions } from "./status.ts";

/** Before anything is known the activators hold the requests. K-53. */
const FIRST_MODE: WantedMode = { mode: "Proxy", activators: 2 };

export interface PodAutoscalerReconcilerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly autoscalers: Lister<PodAutoscaler>;
  readonly serverlessServices: Lister<ServerlessService>;
  readonly metrics: Lister<Metric>;
  readonly target: ScaleTarget;
  readonly pods: Pick<PodLedger, "counts">;
  readonly scaler: MultiScaler;
  readonly confirmations: Confirmations;
  readonly config: Pick<LiveConfig, "autoscaler" | "deployment">;
  /** Ready activators. K-84. */
  readonly readyActivators: () => number;
}

/** What the last pass did with a decision. */
export interface AppliedScale {
  readonly at: WallMs;
  readonly desiredPods: number | undefined;
  readonly bounds: ScaleBounds;
  /** Which bound had the last word. */
  readonly cut: BoundedScale["cut"];
  /** Pods wanted in the end; `undefined` when nothing is known. */
  readonly want: number | undefined;
  /** Why the last pod stays or goes, where that was the question. */
  readonly zero: ZeroReason | undefined;
  readonly mode: WantedMode;
}

/** An object of our name that somebody else owns. S-68, K-13. */
class NotOwnedError extends Error {
  override readonly name = "NotOwnedError";
}

/** One pass's view of a revision, read once. */
interface View {
  readonly key: ObjectKey;
  readonly autoscaler: Stored<PodAutoscaler>;
  readonly settings: RevisionSettings;
  readonly isReachable: boolean;
  readonly bounds: ScaleBounds;
  readonly isInitialized: boolean;
  readonly readyPods: number;
}

interface Draft {
  readonly conditions: ConditionSet;
  status: NonNullable<PodAutoscaler["status"]>;
}

type Scaled =
  | {
      readonly kind: "scaled";
      readonly want: number | undefined;
      readonly pass: Pass;
      readonly zero?: ZeroReason;
    }
  /** The decision changed while the activator was asked: another pass is planned already. K-83. */
  | { readonly kind: "superseded" };

/**
 * Applies what a decider wants: the target's replicas, who stands in the path, and the PodAutoscaler's status. The
 * order of S-91; the scale comes first, so that nothing delays waking a revision.
 */
export class PodAutoscalerReconciler implements Reconciler {
  readonly name = "pod-autoscaler";
  readonly #deps: PodAutoscalerReconcilerDeps;
  readonly #ownStatus = new OwnWrites<Stored<PodAutoscaler>>();
  readonly #ownMode = new OwnWrites<Stored<ServerlessService>>();
  readonly #applied = new Map<ObjectKey, AppliedScale>();

  constructor(deps: PodAutoscalerReconcilerDeps) {
    this.#deps = deps;
  }

  applied(key: ObjectKey): AppliedScale | undefined {
    return this.#applied.get(key);
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const { autoscalers, config } = this.#deps;
    const autoscaler = this.#ownStatus.latest(key, autoscalers.get(key));
    const isOurs =
      autoscaler !== undefined &&
      autoscaler.metadata.deletionTimestamp === undefined &&
      classOf(autoscaler, config.autoscaler) === autoscaling.kpaClass;
    if (!isOurs) {
      this.#forget(key);
      return done;
    }
    const draft = draftOf(autoscaler);
    let outcome: { readonly pass: Pass | "superseded" } | { readonly error: unknown };
    try {
      outcome = { pass: await this.#run(this.#view(key, autoscaler, draft), draft) };
    } catch (error) {
      outcome = { error };
    }
    if ("pass" in outcome && outcome.pass === "superseded") return done;
    const isGone = !(await this.#write(key, autoscaler, draft));
    if ("error" in outcome && !isGone) throw outcome.error;
    return "pass" in outcome && outcome.pass !== "superseded" ? outcome.pass : done;
  }

  async #run(view: View, draft: Draft): Promise<Pass | "superseded"> {
    const { scaler, clock, config } = this.#deps;
    const { key, autoscaler, settings } = view;
    const revision = requireRevision(autoscaler);
    const sks = await this.#bringServerlessService(view, draft);
    if (sks === undefined) {
      draft.conditions.set("SKSReady", notReady);
      this.#report(view, draft, undefined);
      return done;
    }
    const spec = deciderSpec(autoscaler, settings, config.autoscaler);
    const decision = scaler.ensure(revision, spec);
    const metricsServiceName = sks.status?.privateServiceName ?? "";
    draft.status = { ...draft.status, metricsServiceName, serviceName: sks.status?.serviceName ?? "" };
    await this.#bringMetric(view, draft, metricsServiceName);

    const bounded = boundedScale({
      desiredPods: decision.desiredPods,
      activity: activityOf(autoscaler, clock.wall()).kind,
      bounds: view.bounds,
      initialScale: settings.initialScale,
      isInitialized: view.isInitialized,
      isReachable: view.isReachable,
    });
    const scaled = await this.#scale(view, sks, decision, bounded.pods);
    if (scaled.kind === "superseded") return "superseded";

    const mode = wantedMode(scaled.want, decision, spec, {
      readyPods: view.readyPods,
      activatorCapacity: config.autoscaler.activatorCapacity,
    });
    const switched = await this.#bringMode(view, sks, mode);
    draft.conditions.set("SKSReady", isReady(switched) ? { status: "True" } : notReady);
    this.#report(view, draft, scaled.want);
    this.#applied.set(key, {
      at: clock.wall(),
      desiredPods: decision.desiredPods,
      bounds: view.bounds,
      cut: bounded.cut,
      want: scaled.want,
      zero: scaled.zero,
      mode,
    });
    return scaled.pass;
  }

  #view(key: ObjectKey, autoscaler: Stored<PodAutoscaler>, { conditions }: Draft): View {
    const { config, pods } = this.#deps;
    const settings = revisionSettings(autoscaler, config.autoscaler, config.deployment);
    const isReachable = autoscaler.spec.reachability !== "Unreachable";
    return {
      key,
      autoscaler,
      settings,
      isReachable,
      bounds: scaleBounds(settings, isReachable),
      isInitialized: conditions.get("ScaleTargetInitialized").status === "True",
      readyPods: pods.counts(revisionOf(key)).ready,
    };
  }

  /** Sets the replicas, if there is anything to set. S-93, S-97, S-98. */
  async #scale(
    view: View,
    sks: Stored<ServerlessService>,
    decision: Decision,
    pods: number | undefined,
  ): Promise<Scaled> {
    const { target } = this.#deps;
    if (pods === undefined) return { kind: "scaled", want: undefined, pass: done };
    if (pods > 0) {
      await target.scale(view.autoscaler, pods);
      return { kind: "scaled", want: pods, pass: done };
    }
    const zero = await this.#scaleToZero(view, sks, decision);
    switch (zero.kind) {
      case "superseded":
        return zero;
      case "apply":
        await target.scale(view.autoscaler, zero.pods);
        return { kind: "scaled", want: zero.pods, pass: passAfter(zero.recheckMs), zero: zero.because };
      case "hold":
        return { kind: "scaled", want: zero.want, pass: passAfter(zero.recheckMs), zero: zero.because };
      case "ask-later":
        this.#deps.confirmations.askInBackground(view.key, probeTarget(view.autoscaler, sks));
        return { kind: "scaled", want: 0, pass: done, zero: zero.because };
    }
  }

  /** Decides, asking the activator in between where the decision needs its answer. S-105. */
  async #scaleToZero(
    view: View,
    sks: Stored<ServerlessService>,
    decision: Decision,
  ): Promise<Exclude<ScaleToZero, { kind: "ask-activator" }> | { readonly kind: "superseded" }> {
    const { scaler, confirmations } = this.#deps;
    const idle = this.#idleRevision(view, sks);
    const first = scaleToZero(idle);
    if (first.kind !== "ask-activator") return first;
    const isInPath = await confirmations.ask(probeTarget(view.autoscaler, sks));
    if (scaler.decision(revisionOf(view.key))?.desiredPods !== decision.desiredPods)
      return { kind: "superseded" };
    const second = scaleToZero({ ...idle, confirmation: isInPath ? "confirmed" : "denied" });
    return second.kind === "ask-activator" ? { kind: "superseded" } : second;
  }

  #idleRevision(view: View, sks: Stored<ServerlessService>): IdleRevision {
    const { clock, config, target, readyActivators } = this.#deps;
    const { settings } = view;
    const now = clock.wall();
    const inPath = findCondition(sks.status?.conditions, "ActivatorEndpointsPopulated");
    return {
      activity: activityOf(view.autoscaler, now),
      isScaleToZeroEnabled: config.autoscaler.isScaleToZeroEnabled,
      stableWindowMs: settings.stableWindowMs,
      progressDeadlineMs: settings.progressDeadlineMs,
      graceMs: config.autoscaler.scaleToZeroGraceMs,
      retentionMs: view.isReachable ? settings.podRetentionMs : 0,
      mode: sks.spec.mode,
      proxyForMs: inPath?.status === "True" ? elapsedMs(inPath.lastTransitionTime, now) : 0,
      replicas: target.replicas(view.autoscaler) ?? 0,
      confirmation:
        settings.targetBurstCapacity === UNLIMITED_BURST
          ? { kind: "always-in-path", readyActivators: readyActivators() }
          : "unasked",
    };
  }

  /** The ServerlessService once it has a private Service; until then one that proxies is made sure of. S-91, K-53. */
  async #bringServerlessService(view: View, draft: Draft): Promise<Stored<ServerlessService> | undefined> {
    const { client, serverlessServices } = this.#deps;
    const sks = this.#ownMode.latest(view.key, serverlessServices.get(view.key));
    if (sks === undefined) {
      await unlessExists(
        client.create(ServerlessServiceKind, makeServerlessService(view.autoscaler, FIRST_MODE)),
      );
      return undefined;
    }
    requireOwned(sks, view.autoscaler, draft);
    if ((sks.status?.privateServiceName ?? "") !== "") return sks;
    await this.#bringMode(view, sks, FIRST_MODE);
    return undefined;
  }

  async #bringMode(
    view: View,
    sks: Stored<ServerlessService>,
    mode: WantedMode,
  ): Promise<Stored<ServerlessService>> {
    const spec = serverlessServiceSpec(view.autoscaler, mode);
    if (semanticEqual(sks.spec, spec)) return sks;
    const updated = await this.#deps.client.update(ServerlessServiceKind, { ...sks, spec });
    this.#ownMode.remember(view.key, updated);
    return updated;
  }

  /** S-65. */
  async #bringMetric(view: View, draft: Draft, metricsServiceName: string): Promise<void> {
    const { client, metrics } = this.#deps;
    const spec = metricSpec(view.settings, metricsServiceName);
    const metric = metrics.get(view.key);
    if (metric === undefined) {
      await unlessExists(client.create(MetricKind, makeMetric(view.autoscaler, spec)));
      return;
    }
    requireOwned(metric, view.autoscaler, draft);
    if (!semanticEqual(metric.spec, spec)) await client.update(MetricKind, { ...metric, spec });
  }

  /** S-109..S-112. */
  #report(view: View, draft: Draft, want: number | undefined): void {
    const state = {
      want,
      readyPods: view.readyPods,
      minReadyPods: minReadyPods(view.bounds, {
        initialScale: view.settings.initialScale,
        isInitialized: view.isInitialized,
      }),
      serviceName: draft.status.serviceName ?? "",
    };
    markInitialized(draft.conditions, state);
    markActive(draft.conditions, state);
    draft.status = {
      ...draft.status,
      actualScale: view.readyPods,
      ...(want === undefined ? {} : { desiredScale: want }),
    };
  }

  /** `false` if the autoscaler is gone. */
  async #write(key: ObjectKey, autoscaler: Stored<PodAutoscaler>, draft: Draft): Promise<boolean> {
    const status = {
      ...draft.status,
      observedGeneration: autoscaler.metadata.generation,
      conditions: draft.conditions.list(rfc3339(this.#deps.clock.wall())),
    };
    try {
      const written = await writeStatus(this.#deps.client, PodAutoscalerKind, autoscaler, status);
      this.#ownStatus.remember(key, written);
      return true;
    } catch (error) {
      if (isKubeError(error, "NotFound")) return false;
      throw error;
    }
  }

  #forget(key: ObjectKey): void {
    this.#deps.scaler.remove(revisionOf(key));
    this.#deps.target.forget(key);
    this.#ownStatus.forget(key);
    this.#ownMode.forget(key);
    this.#applied.delete(key);
  }
}

const notReady = {
  status: "Unknown",
  reason: "NotReady",
  message: "K8s Service is not ready",
} as const;

/** Ready is doubtful while a generation is new; whatever comes next overrides that. S-22. */
function draftOf({ metadata, status }: Stored<PodAutoscaler>): Draft {
  const conditions = new ConditionSet("Ready", podAutoscalerConditions, status?.conditions);
  if (status?.observedGeneration !== metadata.generation) {
    conditions.setHappy({
      status: "Unknown",
      reason: "NewObservedGenFailure",
      message: "unsuccessfully observed a new generation",
    });
  }
  return { conditions, status: status ?? {} };
}

/** Activators leave the path only when pods are wanted and could take a burst. S-99, S-100, K-54. */
function wantedMode(
  want: number | undefined,
  decision: Decision,
  spec: DeciderSpec,
  { readyPods, activatorCapacity }: { readonly readyPods: number; readonly activatorCapacity: number },
): WantedMode {
  const canServe = want !== undefined && want > 0 && decision.excessBurstCapacity >= 0;
  return {
    mode: canServe ? "Serve" : "Proxy",
    activators: activatorCount(spec, readyPods, activatorCapacity),
  };
}

function probeTarget({ metadata, spec }: Stored<PodAutoscaler>, sks: Stored<ServerlessService>): ProbeTarget {
  return {
    namespace: metadata.namespace,
    serviceName: sks.status?.serviceName ?? "",
    port: spec.protocolType === "h2c" ? ports.serviceH2c : ports.serviceHttp,
  };
}

/** S-92, K-50. */
function isReady({ metadata, status }: Stored<ServerlessService>): boolean {
  return (
    status?.observedGeneration === metadata.generation &&
    findCondition(status.conditions, "Ready")?.status === "True"
  );
}

function passAfter(afterMs: number | undefined): Pass {
  return afterMs === undefined ? done : { kind: "again", afterMs };
}

/** S-78. */
function requireRevision(autoscaler: Stored<PodAutoscaler>): ReturnType<typeof revisionOf> {
  for (const label of [labels.configuration, labels.revision]) {
    if (autoscaler.metadata.labels?.[label] === undefined) {
      throw new Error(`the PodAutoscaler has no label ${label}`);
    }
  }
  return revisionOf(objectKey(autoscaler.metadata));
}

function requireOwned(
  object: Stored<ServerlessService> | Stored<Metric>,
  autoscaler: Stored<PodAutoscaler>,
  { conditions }: Draft,
): void {
  if (isControlledBy(object, autoscaler)) return;
  const message = `There is an existing ${object.kind} "${object.metadata.name}" that we do not own.`;
  conditions.set("Active", { status: "False", reason: "NotOwned", message });
  throw new NotOwnedError(message);
}

/** Somebody was faster, or the cache is behind: its event brings the next pass. */
async function unlessExists(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
  }
}

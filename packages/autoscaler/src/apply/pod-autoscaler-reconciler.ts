import {
  autoscaling,
  type Clock,
  type ConditionChange,
  ConditionSet,
  done,
  findCondition,
  isKubeError,
  type KubeClient,
  type Lister,
  labels,
  type ObjectKey,
  objectKey,
  type Pass,
  type PodAutoscaler,
  PodAutoscalerKind,
  type Reconciler,
  rfc3339,
  type ServerlessService,
  type Stored,
  type WallMs,
  writeStatus,
} from "@rouse/shared";
import type { LiveConfig } from "../config/live-config.ts";
import { classOf, revisionSettings } from "../config/revision-settings.ts";
import { activatorCount } from "../decide/burst-capacity.ts";
import { type DeciderSpec, deciderSpec } from "../decide/decider-spec.ts";
import type { Decision, MultiScaler } from "../decide/multi-scaler.ts";
import type { Ownership } from "../forward/ownership.ts";
import { revisionOf } from "../keys.ts";
import type { PodLedger } from "../pods/pod-ledger.ts";
import { type Schedules, scheduledBounds } from "../schedule/schedules.ts";
import { activityOf } from "./activity.ts";
import { type BoundedScale, boundedScale, minReadyPods, type ScaleBounds, scaleBounds } from "./bounds.ts";
import { type Companions, NotOwnedError } from "./companions.ts";
import { OwnWrites } from "./own-writes.ts";
import { metricSpec, type WantedMode } from "./owned-objects.ts";
import type { RevisionView } from "./revision-view.ts";
import type { ZeroReason } from "./scale-to-zero.ts";
import type { Scaling } from "./scaling.ts";
import { markActive, markInitialized, podAutoscalerConditions } from "./status.ts";

export interface PodAutoscalerReconcilerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly autoscalers: Lister<PodAutoscaler>;
  readonly companions: Companions;
  readonly scaling: Scaling;
  readonly pods: Pick<PodLedger, "counts">;
  readonly scaler: MultiScaler;
  readonly config: Pick<LiveConfig, "autoscaler" | "deployment">;
  readonly ownership: Ownership;
  readonly schedules: Schedules;
  /** Told when the scale wanted, the bound that cut it or the mode is another than before. */
  readonly changed?: (autoscaler: Stored<PodAutoscaler>, applied: AppliedScale) => void;
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

interface Draft {
  readonly conditions: ConditionSet;
  status: NonNullable<PodAutoscaler["status"]>;
}

/**
 * Applies what a decider wants: the target's replicas, who stands in the path, and the PodAutoscaler's status. The
 * order of S-91; the scale comes first, so that nothing delays waking a revision.
 */
export class PodAutoscalerReconciler implements Reconciler {
  readonly name = "pod-autoscaler";
  readonly #deps: PodAutoscalerReconcilerDeps;
  readonly #ownStatus = new OwnWrites<Stored<PodAutoscaler>>();
  readonly #applied = new Map<ObjectKey, AppliedScale>();

  constructor(deps: PodAutoscalerReconcilerDeps) {
    this.#deps = deps;
  }

  applied(key: ObjectKey): AppliedScale | undefined {
    return this.#applied.get(key);
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const { autoscalers, config, ownership } = this.#deps;
    const autoscaler = this.#ownStatus.latest(key, autoscalers.get(key));
    const isOurs =
      autoscaler !== undefined &&
      autoscaler.metadata.deletionTimestamp === undefined &&
      ownership.owns(revisionOf(key)) && // of another's we remember nothing: S-142
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
      if (error instanceof NotOwnedError) draft.conditions.set("Active", notOwned(error));
      outcome = { error };
    }
    if ("pass" in outcome && outcome.pass === "superseded") return done;
    const isGone = !(await this.#write(key, autoscaler, draft));
    if ("error" in outcome && !isGone) throw outcome.error;
    return "pass" in outcome && outcome.pass !== "superseded" ? outcome.pass : done;
  }

  async #run(view: RevisionView, draft: Draft): Promise<Pass | "superseded"> {
    const { scaler, clock, config, companions } = this.#deps;
    const { key, autoscaler, settings } = view;
    const revision = requireRevision(autoscaler);
    const sks = await companions.serverlessService(autoscaler);
    if (sks === undefined) {
      draft.conditions.set("SKSReady", notReady);
      this.#report(view, draft, undefined);
      return done;
    }
    const spec = deciderSpec(autoscaler, settings, config.autoscaler);
    const decision = scaler.ensure(revision, spec);
    const metricsServiceName = sks.status?.privateServiceName ?? "";
    draft.status = { ...draft.status, metricsServiceName, serviceName: sks.status?.serviceName ?? "" };
    await companions.bringMetric(autoscaler, metricSpec(settings, metricsServiceName));

    const bounded = boundedScale({
      desiredPods: decision.desiredPods,
      activity: activityOf(autoscaler, clock.wall()).kind,
      bounds: view.bounds,
      initialScale: settings.initialScale,
      isInitialized: view.isInitialized,
      isReachable: view.isReachable,
    });
    const scaled = await this.#deps.scaling.apply(view, sks, decision, bounded.pods);
    if (scaled.kind === "superseded") return "superseded";

    const mode = wantedMode(scaled.want, decision, spec, {
      readyPods: view.readyPods,
      activatorCapacity: config.autoscaler.activatorCapacity,
    });
    const switched = await companions.switchMode(autoscaler, sks, mode);
    draft.conditions.set("SKSReady", isReady(switched) ? { status: "True" } : notReady);
    this.#report(view, draft, scaled.want);
    const before = this.#applied.get(key);
    const applied: AppliedScale = {
      at: clock.wall(),
      desiredPods: decision.desiredPods,
      bounds: view.bounds,
      cut: bounded.cut,
      want: scaled.want,
      zero: scaled.zero,
      mode,
    };
    this.#applied.set(key, applied);
    if (isNews(before, applied)) this.#deps.changed?.(autoscaler, applied);
    return sooner(scaled.pass, view.nextScheduleMs);
  }

  #view(key: ObjectKey, autoscaler: Stored<PodAutoscaler>, { conditions }: Draft): RevisionView {
    const { clock, config, pods, schedules } = this.#deps;
    const settings = revisionSettings(autoscaler, config.autoscaler, config.deployment);
    const isReachable = autoscaler.spec.reachability !== "Unreachable";
    const bounds = scaleBounds(settings, isReachable);
    const scheduled = schedules.of(autoscaler, clock.wall());
    return {
      key,
      autoscaler,
      settings,
      isReachable,
      bounds: isReachable ? scheduledBounds(bounds, scheduled) : bounds,
      nextScheduleMs: scheduled.nextChangeMs,
      isInitialized: conditions.get("ScaleTargetInitialized").status === "True",
      readyPods: pods.counts(revisionOf(key)).ready,
    };
  }

  /** S-109..S-112. */
  #report(view: RevisionView, draft: Draft, want: number | undefined): void {
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
    this.#deps.scaling.forget(key);
    this.#deps.companions.forget(key);
    this.#ownStatus.forget(key);
    this.#applied.delete(key);
  }
}

/** The pass that is asked for, or one when the schedule says something else, whichever comes first. */
function sooner(pass: Pass, scheduleMs: number | undefined): Pass {
  if (scheduleMs === undefined || (pass.kind === "again" && pass.afterMs <= scheduleMs)) return pass;
  return { kind: "again", afterMs: scheduleMs };
}

/** Whether somebody who watches would want to be told. What a revision begins with is no change. */
function isNews(before: AppliedScale | undefined, now: AppliedScale): boolean {
  if (before?.want === undefined || now.want === undefined) return false;
  return before.want !== now.want || before.mode.mode !== now.mode.mode || before.cut !== now.cut;
}

function notOwned({ message }: NotOwnedError): ConditionChange {
  return { status: "False", reason: "NotOwned", message };
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

/** S-92, K-50. */
function isReady({ metadata, status }: Stored<ServerlessService>): boolean {
  return (
    status?.observedGeneration === metadata.generation &&
    findCondition(status.conditions, "Ready")?.status === "True"
  );
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

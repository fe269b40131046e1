import {
  type Clock,
  done,
  findCondition,
  type ObjectKey,
  type Pass,
  type PodAutoscaler,
  ports,
  type ServerlessService,
  type Stored,
} from "@rouse/shared";
import { UNLIMITED_BURST } from "../config/autoscaler-config.ts";
import type { LiveConfig } from "../config/live-config.ts";
import type { Decision, MultiScaler } from "../decide/multi-scaler.ts";
import { revisionOf } from "../keys.ts";
import type { ProbeTarget } from "../probe/activator-probe.ts";
import type { Confirmations } from "../probe/confirmations.ts";
import { activityOf, elapsedMs } from "./activity.ts";
import type { DeletionCosts } from "./deletion-costs.ts";
import type { RevisionView } from "./revision-view.ts";
import type { ScaleTarget } from "./scale-target.ts";
import { type IdleRevision, type ScaleToZero, scaleToZero, type ZeroReason } from "./scale-to-zero.ts";

export interface ScalingDeps {
  readonly clock: Clock;
  readonly config: Pick<LiveConfig, "autoscaler">;
  readonly scaler: Pick<MultiScaler, "decision">;
  readonly target: ScaleTarget;
  readonly confirmations: Confirmations;
  /** K-84. */
  readonly readyActivators: () => number;
  /** Absent where whoever removes pods sees himself which are busy. */
  readonly deletionCosts?: DeletionCosts;
}

/** What became of the pods wanted. */
export type Scaled =
  | {
      readonly kind: "scaled";
      readonly want: number | undefined;
      readonly pass: Pass;
      readonly zero?: ZeroReason;
    }
  /** The decision changed while the activator was asked: another pass is planned already. K-83. */
  | { readonly kind: "superseded" };

/** Sets a revision's replicas to what its bounds left of a decision, and sees its last pod off. S-93, S-97..S-107. */
export class Scaling {
  readonly #deps: ScalingDeps;

  constructor(deps: ScalingDeps) {
    this.#deps = deps;
  }

  /** Sets the replicas, if there is anything to set. S-93, S-97, S-98. */
  async apply(
    view: RevisionView,
    sks: Stored<ServerlessService>,
    decision: Decision,
    pods: number | undefined,
  ): Promise<Scaled> {
    const { target } = this.#deps;
    if (pods === undefined) return { kind: "scaled", want: undefined, pass: done };
    if (pods > 0) {
      if (pods < (target.replicas(view.autoscaler) ?? 0)) {
        await this.#deps.deletionCosts?.write(revisionOf(view.key));
      }
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
    view: RevisionView,
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

  #idleRevision(view: RevisionView, sks: Stored<ServerlessService>): IdleRevision {
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

  /** To be called when the autoscaler of that key is gone. */
  forget(key: ObjectKey): void {
    this.#deps.target.forget(key);
  }
}

function probeTarget({ metadata, spec }: Stored<PodAutoscaler>, sks: Stored<ServerlessService>): ProbeTarget {
  return {
    namespace: metadata.namespace,
    serviceName: sks.status?.serviceName ?? "",
    port: spec.protocolType === "h2c" ? ports.serviceH2c : ports.serviceHttp,
  };
}

function passAfter(afterMs: number | undefined): Pass {
  return afterMs === undefined ? done : { kind: "again", afterMs };
}

import {
  autoscaling,
  type Clock,
  ConditionSet,
  done,
  findCondition,
  type HorizontalPodAutoscaler,
  HorizontalPodAutoscalerKind,
  isControlledBy,
  isKubeError,
  type KubeClient,
  type Lister,
  type ObjectKey,
  type Pass,
  type PodAutoscaler,
  PodAutoscalerKind,
  type Reconciler,
  rfc3339,
  type ServerlessService,
  type Stored,
  writeStatus,
} from "@rouse/shared";
import { minReadyPods, scaleBounds } from "../apply/bounds.ts";
import { type Companions, NotOwnedError } from "../apply/companions.ts";
import { podAutoscalerConditions } from "../apply/status.ts";
import type { LiveConfig } from "../config/live-config.ts";
import { classOf, type RevisionSettings, revisionSettings } from "../config/revision-settings.ts";
import type { Ownership } from "../forward/ownership.ts";
import { revisionOf } from "../keys.ts";
import { isPartOf, makeHpa } from "./hpa-spec.ts";

export interface HpaReconcilerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly autoscalers: Lister<PodAutoscaler>;
  readonly hpas: Lister<HorizontalPodAutoscaler>;
  readonly companions: Companions;
  readonly config: Pick<LiveConfig, "autoscaler" | "deployment">;
  readonly ownership: Ownership;
}

/** An HPA could not be made. */
class HpaRefusedError extends Error {
  override readonly name = "HpaRefusedError";
}

/**
 * Leaves the scaling of a revision to Kubernetes' own HPA: makes one, has the pods served directly, and reports what
 * the HPA says. No decider, no Metric, no zero. S-121..S-124, K-56.
 */
export class HpaReconciler implements Reconciler {
  readonly name = "hpa";
  readonly #deps: HpaReconcilerDeps;

  constructor(deps: HpaReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const { autoscalers, config, clock, client, ownership } = this.#deps;
    const autoscaler = autoscalers.get(key);
    const isOurs =
      autoscaler !== undefined &&
      autoscaler.metadata.deletionTimestamp === undefined &&
      ownership.owns(revisionOf(key)) &&
      classOf(autoscaler, config.autoscaler) === autoscaling.hpaClass;
    if (!isOurs) return done;
    const settings = revisionSettings(autoscaler, config.autoscaler, config.deployment);
    const conditions = new ConditionSet("Ready", podAutoscalerConditions, autoscaler.status?.conditions);
    let status = autoscaler.status ?? {};
    let failure: unknown;
    try {
      status = { ...status, ...(await this.#bring(key, autoscaler, settings, conditions)) };
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== undefined) {
        conditions.set("Active", { status: "False", reason, message: String(error) });
      }
      failure = error;
    }
    try {
      await writeStatus(client, PodAutoscalerKind, autoscaler, {
        ...status,
        observedGeneration: autoscaler.metadata.generation,
        conditions: conditions.list(rfc3339(clock.wall())),
      });
    } catch (error) {
      if (!isKubeError(error, "NotFound")) throw error;
      return done; // deleted meanwhile
    }
    if (failure !== undefined) throw failure;
    return done;
  }

  /** The HPA and the ServerlessService, and what they say of the revision. S-124. */
  async #bring(
    key: ObjectKey,
    autoscaler: Stored<PodAutoscaler>,
    settings: RevisionSettings,
    conditions: ConditionSet,
  ): Promise<NonNullable<PodAutoscaler["status"]>> {
    const hpa = await this.#bringHpa(key, autoscaler, settings);
    const sks = await this.#deps.companions.serving(autoscaler);
    conditions.set("Active", { status: "True" });
    const isReady = sks !== undefined && isSksReady(sks);
    conditions.set("SKSReady", isReady ? { status: "True" } : notReady);
    const current = hpa?.status?.currentReplicas ?? 0;
    const needed = minReadyPods(scaleBounds(settings, autoscaler.spec.reachability !== "Unreachable"), {
      initialScale: settings.initialScale,
      isInitialized: false,
    });
    if (isReady && current >= needed) conditions.set("ScaleTargetInitialized", { status: "True" });
    return {
      desiredScale: hpa?.status?.desiredReplicas ?? 0,
      actualScale: current,
      serviceName: sks?.status?.serviceName ?? "",
      metricsServiceName: sks?.status?.privateServiceName ?? "",
    };
  }

  async #bringHpa(
    key: ObjectKey,
    autoscaler: Stored<PodAutoscaler>,
    settings: RevisionSettings,
  ): Promise<Stored<HorizontalPodAutoscaler> | undefined> {
    const { client, hpas } = this.#deps;
    const bounds = scaleBounds(settings, autoscaler.spec.reachability !== "Unreachable");
    const wanted = makeHpa(autoscaler, settings, bounds);
    const stored = hpas.get(key);
    if (stored === undefined) {
      try {
        return await client.create(HorizontalPodAutoscalerKind, wanted);
      } catch (error) {
        if (isKubeError(error, "AlreadyExists")) return undefined; // its event brings the next pass
        throw new HpaRefusedError(`Failed to create HPA "${autoscaler.metadata.name}".`, { cause: error });
      }
    }
    if (!isControlledBy(stored, autoscaler)) {
      throw new NotOwnedError(`There is an existing HPA "${stored.metadata.name}" that we do not own.`);
    }
    if (isPartOf(wanted.spec, stored.spec)) return stored;
    return await client.update(HorizontalPodAutoscalerKind, { ...stored, spec: wanted.spec });
  }
}

const notReady = { status: "Unknown", reason: "NotReady", message: "K8s Service is not ready" } as const;

function reasonOf(error: unknown): string | undefined {
  if (error instanceof NotOwnedError) return "NotOwned";
  return error instanceof HpaRefusedError ? "FailedCreate" : undefined;
}

function isSksReady({ metadata, status }: Stored<ServerlessService>): boolean {
  return (
    status?.observedGeneration === metadata.generation &&
    findCondition(status.conditions, "Ready")?.status === "True"
  );
}

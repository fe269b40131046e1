import {
  type Clock,
  ConditionSet,
  type Deployment,
  DeploymentKind,
  findCondition,
  type HorizontalPodAutoscaler,
  HorizontalPodAutoscalerKind,
  type HpaMetric,
  Informer,
  isKubeError,
  type KubeClient,
  type Logger,
  labels,
  type ObjectKey,
  objectKey,
  type Pod,
  PodKind,
  parseQuantity,
  type Random,
  rfc3339,
  type Stored,
  writeStatus,
} from "@rouse/shared";
import {
  type HpaTarget,
  limited,
  type MeasuredPod,
  type Recommendation,
  recommend,
  Stabilization,
} from "./hpa-formula.ts";
import type { PodUsage, Usage } from "./pod-usage.ts";

/** `--horizontal-pod-autoscaler-sync-period`. */
const PERIOD_MS = 15_000;
/** The first one does not wait that long: a revision is not ready before its HPA has said how many pods it has. */
const FIRST_MS = 1_000;
/** Of a scale-down without rules of its own; of a scale-up it is none. */
const DOWN_SECONDS_DEFAULT = 300;
const MILLI = 1_000;

export interface HpaEvaluatorDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly usage: PodUsage;
  readonly log: Logger;
}

/**
 * What evaluates HPAs where Kubernetes does not: every 15 seconds, by its documented formula, from what the pods'
 * processes use. Knows the metrics `cpu` and `memory`; of any other it says so.
 */
export class HpaEvaluator implements AsyncDisposable {
  readonly #deps: HpaEvaluatorDeps;
  readonly #hpas: Informer<HorizontalPodAutoscaler>;
  readonly #deployments: Informer<Deployment>;
  readonly #pods: Informer<Pod>;
  readonly #history = new Map<ObjectKey, Stabilization>();
  #timer: Disposable | undefined;
  #isClosed = false;

  static async start(deps: HpaEvaluatorDeps): Promise<HpaEvaluator> {
    const evaluator = new HpaEvaluator(deps);
    await evaluator.#pods.start();
    await evaluator.#deployments.start();
    await evaluator.#hpas.start();
    return evaluator;
  }

  private constructor(deps: HpaEvaluatorDeps) {
    this.#deps = deps;
    this.#pods = new Informer(deps, PodKind, { labelSelector: labels.revision }).indexBy(labels.revision);
    this.#deployments = new Informer(deps, DeploymentKind, { labelSelector: labels.revision });
    this.#hpas = new Informer(deps, HorizontalPodAutoscalerKind).handle({
      changed: () => this.#arm(FIRST_MS), // no timer while there is none
      removed: ({ metadata }) => this.#history.delete(objectKey(metadata)),
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    for (const informer of [this.#hpas, this.#deployments, this.#pods]) informer[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #arm(delayMs: number): void {
    if (this.#isClosed || this.#timer !== undefined || this.#hpas.size === 0) return;
    this.#timer = this.#deps.clock.after(delayMs, () => void this.#round());
  }

  async #round(): Promise<void> {
    for (const hpa of this.#hpas.list()) {
      try {
        await this.#evaluate(hpa);
      } catch (error) {
        if (isKubeError(error, "NotFound") || isKubeError(error, "Conflict")) continue; // next time
        this.#deps.log.warn("hpa not evaluated", { hpa: hpa.metadata.name, error: String(error) });
      }
    }
    this.#timer = undefined;
    this.#arm(PERIOD_MS);
  }

  async #evaluate(hpa: Stored<HorizontalPodAutoscaler>): Promise<void> {
    const { client, clock } = this.#deps;
    const key = objectKey(hpa.metadata);
    const target = { namespace: hpa.metadata.namespace, name: hpa.spec.scaleTargetRef.name };
    const deployment = this.#deployments.get(objectKey(target));
    if (deployment === undefined) return;
    const current = deployment.spec.replicas ?? 1;
    const revision = deployment.metadata.labels?.[labels.revision] ?? "";
    const pods = this.#pods
      .byLabel(labels.revision, revision)
      .filter(({ metadata }) => metadata.namespace === target.namespace)
      .filter(isCounted);
    const use = this.#deps.usage.usage(pods.map(({ metadata }) => objectKey(metadata)));
    const found = overall(
      (hpa.spec.metrics ?? []).map((metric) => recommendationOf(metric, current, pods, use)),
      current,
    );
    const desired = this.#settled(hpa, key, current, found);
    if (desired !== current) {
      const operations = [{ op: "add", path: "/spec/replicas", value: desired }] as const;
      await client.patch(DeploymentKind, target, { kind: "json", operations }, "scale");
    }
    const conditions = new ConditionSet("Ready", [], hpa.status?.conditions);
    conditions.set("AbleToScale", { status: "True", reason: "ReadyForNewScale" });
    conditions.set(
      "ScalingActive",
      found.kind === "unknown"
        ? { status: "False", reason: "FailedGetResourceMetric", message: found.message }
        : { status: "True", reason: "ValidMetricFound" },
    );
    await writeStatus(client, HorizontalPodAutoscalerKind, hpa, {
      ...hpa.status,
      observedGeneration: hpa.metadata.generation,
      currentReplicas: deployment.status?.replicas ?? pods.length,
      desiredReplicas: desired,
      conditions: conditions.list(rfc3339(clock.wall())).filter(({ type }) => type !== "Ready"),
    });
  }

  /** Pods in the end: a scale of 0 is somebody's decision, and bounds hold whatever is known. */
  #settled(
    hpa: Stored<HorizontalPodAutoscaler>,
    key: ObjectKey,
    current: number,
    found: Recommendation,
  ): number {
    if (current === 0) return 0;
    const { behavior, minReplicas = 1, maxReplicas } = hpa.spec;
    const bounds = { min: minReplicas, max: maxReplicas };
    if (found.kind === "unknown") return limited(current, current, bounds);
    const history = this.#history.get(key) ?? new Stabilization();
    this.#history.set(key, history);
    const steady = history.stabilized(current, found.replicas, this.#deps.clock.now(), {
      upSeconds: behavior?.scaleUp?.stabilizationWindowSeconds ?? 0,
      downSeconds: behavior?.scaleDown?.stabilizationWindowSeconds ?? DOWN_SECONDS_DEFAULT,
    });
    return limited(current, steady, bounds);
  }
}

/** The metric that asks for most; one nobody knows anything about must not let the others scale down. */
function overall(each: readonly Recommendation[], current: number): Recommendation {
  let most: number | undefined;
  let unknown: Recommendation | undefined;
  for (const one of each) {
    if (one.kind === "unknown") unknown = one;
    else most = Math.max(most ?? 0, one.replicas);
  }
  if (most === undefined) return unknown ?? { kind: "unknown", message: "no metric to scale by" };
  return unknown !== undefined && most < current ? unknown : { kind: "replicas", replicas: most };
}

function recommendationOf(
  metric: HpaMetric,
  replicas: number,
  pods: readonly Stored<Pod>[],
  use: ReadonlyMap<ObjectKey, Usage>,
): Recommendation {
  const name = metric.type === "Resource" ? metric.resource.name : metric.pods.metric.name;
  const target = targetOf(metric, name);
  if (target === undefined) return { kind: "unknown", message: `metric ${name} is not known here` };
  return recommend(
    replicas,
    target,
    pods.map((pod) => measured(pod, name, use)),
  );
}

function targetOf(metric: HpaMetric, name: string): HpaTarget | undefined {
  if (metric.type !== "Resource" || (name !== "cpu" && name !== "memory")) return undefined;
  const { averageUtilization, averageValue } = metric.resource.target;
  if (averageUtilization !== undefined) return { kind: "utilization", percent: averageUtilization };
  const value = parseQuantity(averageValue ?? "");
  return value === undefined ? undefined : { kind: "average", value: name === "cpu" ? value * MILLI : value };
}

/** CPU in thousandths of a core, memory in bytes. */
function measured(pod: Stored<Pod>, name: string, use: ReadonlyMap<ObjectKey, Usage>): MeasuredPod {
  const seen = use.get(objectKey(pod.metadata));
  const request = requestOf(pod, name);
  return {
    isReady: findCondition(pod.status?.conditions, "Ready")?.status === "True",
    value: name === "cpu" ? seen?.cpuMilli : seen?.memoryBytes,
    request: request === undefined ? undefined : name === "cpu" ? request * MILLI : request,
  };
}

/** What the first container that asks for it asks for; sidecars are ours and ask for nothing here. */
function requestOf(pod: Stored<Pod>, name: string): number | undefined {
  for (const { resources } of pod.spec.containers) {
    const requests = memberOf(resources, "requests");
    const text = memberOf(requests, name);
    if (typeof text === "string" || typeof text === "number") return parseQuantity(String(text));
  }
  return undefined;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

/** Pods that end or have ended say nothing about the load. */
function isCounted({ metadata, status }: Stored<Pod>): boolean {
  return (
    metadata.deletionTimestamp === undefined && status?.phase !== "Failed" && status?.phase !== "Succeeded"
  );
}

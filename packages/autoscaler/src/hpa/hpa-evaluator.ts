import {
  type Clock,
  ConditionSet,
  type Deployment,
  DeploymentKind,
  EventRecorder,
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
  type Random,
  rfc3339,
  type Stored,
  writeStatus,
} from "@rouse/shared";
import { type HpaEvaluation, hpaConditions } from "./hpa-conditions.ts";
import { limited, type Recommendation, Stabilization } from "./hpa-formula.ts";
import { isCounted, viewOf } from "./hpa-metric.ts";
import type { PodUsage } from "./pod-usage.ts";

/** `--horizontal-pod-autoscaler-sync-period`. */
const PERIOD_MS = 15_000;
/** The first one does not wait that long: a revision is not ready before its HPA has said how many pods it has. */
const FIRST_MS = 1_000;
/** Of a scale-down without rules of its own; of a scale-up it is none. */
const DOWN_SECONDS_DEFAULT = 300;
/** An HPA that names no metric. autoscaling/v2, `spec.metrics`. */
const metricsDefault: readonly HpaMetric[] = [
  { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
];
/** Source of the events. */
const COMPONENT = "horizontal-pod-autoscaler";

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
  readonly #events: EventRecorder;
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
    this.#events = new EventRecorder(deps);
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
    const { metrics = [] } = hpa.spec;
    const views = (metrics.length === 0 ? metricsDefault : metrics).map((metric) =>
      viewOf(metric, current, pods, use),
    );
    const found = overall(
      views.map(({ recommendation }) => recommendation),
      current,
    );
    const evaluation = this.#settled(hpa, key, current, found);
    const { desired } = evaluation;
    if (desired !== current) {
      const operations = [{ op: "add", path: "/spec/replicas", value: desired }] as const;
      await client.patch(DeploymentKind, target, { kind: "json", operations }, "scale");
      const message = `New size: ${desired}; was ${current}`;
      this.#events.record(COMPONENT, hpa, { type: "Normal", reason: "SuccessfulRescale", message });
    }
    const conditions = new ConditionSet("Ready", [], hpa.status?.conditions);
    for (const [type, change] of Object.entries(hpaConditions(evaluation))) conditions.set(type, change);
    await writeStatus(client, HorizontalPodAutoscalerKind, hpa, {
      ...hpa.status,
      observedGeneration: hpa.metadata.generation,
      currentReplicas: deployment.status?.replicas ?? pods.length,
      desiredReplicas: desired,
      currentMetrics: views.flatMap(({ status }) => status ?? []),
      ...(desired === current ? {} : { lastScaleTime: rfc3339(clock.wall()) }),
      conditions: conditions.list(rfc3339(clock.wall())).filter(({ type }) => type !== "Ready"),
    });
  }

  /** Pods in the end: a scale of 0 is somebody's decision, and bounds hold whatever is known. */
  #settled(
    hpa: Stored<HorizontalPodAutoscaler>,
    key: ObjectKey,
    current: number,
    found: Recommendation,
  ): HpaEvaluation {
    const { behavior, minReplicas = 1, maxReplicas } = hpa.spec;
    const bounds = { min: minReplicas, max: maxReplicas };
    if (current === 0) return { current, found, steady: 0, desired: 0, bounds };
    if (found.kind === "unknown") {
      return { current, found, steady: current, desired: limited(current, current, bounds), bounds };
    }
    const history = this.#history.get(key) ?? new Stabilization();
    this.#history.set(key, history);
    const steady = history.stabilized(current, found.replicas, this.#deps.clock.now(), {
      upSeconds: behavior?.scaleUp?.stabilizationWindowSeconds ?? 0,
      downSeconds: behavior?.scaleDown?.stabilizationWindowSeconds ?? DOWN_SECONDS_DEFAULT,
    });
    return { current, found, steady, desired: limited(current, steady, bounds), bounds };
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

import {
  type ConditionChange,
  type ConditionSet,
  type Deployment,
  findCondition,
  type PodAutoscaler,
  type Stored,
} from "@rouse/shared";
import { changeOf } from "../pass/readiness.ts";
import type { PodFailure } from "./pod-failure.ts";

export const RESOURCES_AVAILABLE = "ResourcesAvailable";
export const CONTAINER_HEALTHY = "ContainerHealthy";
export const ACTIVE = "Active";

const DEPLOYING: ConditionChange = { status: "Unknown", reason: "Deploying" };
const DEADLINE_EXCEEDED = "ProgressDeadlineExceeded";

/** What the conditions of a Revision are made from. */
export interface Observed {
  readonly deployment: Stored<Deployment>;
  readonly podAutoscaler: Stored<PodAutoscaler>;
  /** Looked at only while pods are wanted and none is available. */
  readonly failure: PodFailure | undefined;
  /** Of the pods themselves, looked at when `failure` is. */
  readonly hasReadyPod: boolean;
  readonly isPodAlwaysSchedulable: boolean;
}

/** Whether pods are wanted and not one is available: the time to look for what is wrong with them. */
export function lacksPods(deployment: Stored<Deployment>): boolean {
  return (deployment.spec.replicas ?? 0) > 0 && (deployment.status?.availableReplicas ?? 0) === 0;
}

/** Whether what is known so far says that the revision cannot serve. */
export function isBad(conditions: ConditionSet): boolean {
  return [RESOURCES_AVAILABLE, CONTAINER_HEALTHY].some((type) => conditions.get(type).status === "False");
}

/** Steps 1 to 3 of C-58: what the Deployment and its pods say. */
export function followDeployment(conditions: ConditionSet, observed: Omit<Observed, "podAutoscaler">): void {
  const { deployment, failure, hasReadyPod } = observed;
  conditions.set(RESOURCES_AVAILABLE, availability(deployment));
  if (lacksPods(deployment) && failure !== undefined) {
    markFailure(conditions, failure, observed);
  }
  // Where the Deployment's status is late, its pods may have recovered and gone again before it says so, and then nothing
  // would ever take the failure back.
  if (hasReadyPod || (deployment.status?.readyReplicas ?? 0) > 0)
    conditions.set(CONTAINER_HEALTHY, { status: "True" });
}

/** Steps 5 to 8 of C-58: what the autoscaler says. */
export function followPodAutoscaler(conditions: ConditionSet, podAutoscaler: Stored<PodAutoscaler>): void {
  const { serviceName = "", conditions: theirs } = podAutoscaler.status ?? {};
  const ready = findCondition(theirs, "Ready");
  const bad = isBad(conditions);
  if (ready === undefined) {
    markActive(conditions, DEPLOYING);
    if (!bad) conditions.set(RESOURCES_AVAILABLE, DEPLOYING);
    return;
  }
  const isInitialized = findCondition(theirs, "ScaleTargetInitialized")?.status === "True";
  if (isInitialized && !bad) {
    conditions.set(RESOURCES_AVAILABLE, { status: "True" });
    conditions.set(CONTAINER_HEALTHY, { status: "True" });
  }
  const isAvailable = conditions.get(RESOURCES_AVAILABLE).status === "True";
  if (isAvailable && (serviceName === "" || !isInitialized)) conditions.set(RESOURCES_AVAILABLE, DEPLOYING);
  markActive(conditions, ready);
  if (ready.status === "False" && !isInitialized && !bad && serviceName !== "") {
    conditions.set(RESOURCES_AVAILABLE, {
      status: "False",
      reason: DEADLINE_EXCEEDED,
      message: "Initial scale was never achieved",
    });
  }
}

function availability(deployment: Stored<Deployment>): ConditionChange {
  const progressing = findCondition(deployment.status?.conditions, "Progressing");
  const replicaFailure = findCondition(deployment.status?.conditions, "ReplicaFailure");
  if (replicaFailure !== undefined && replicaFailure.status !== "False") {
    return { ...changeOf(replicaFailure), status: replicaFailure.status === "True" ? "False" : "Unknown" };
  }
  if (progressing === undefined) return DEPLOYING;
  return progressing.status === "True" ? { status: "True" } : changeOf(progressing);
}

function markFailure(
  conditions: ConditionSet,
  failure: PodFailure,
  observed: Omit<Observed, "podAutoscaler">,
): void {
  switch (failure.kind) {
    case "unschedulable":
      if (observed.isPodAlwaysSchedulable) return;
      conditions.set(RESOURCES_AVAILABLE, {
        status: "False",
        reason: failure.reason,
        message: failure.message,
      });
      return;
    case "exited":
      conditions.set(CONTAINER_HEALTHY, {
        status: "False",
        reason: `ExitCode${failure.exitCode}`,
        message: failure.message,
      });
      return;
    case "waiting": {
      const progressing = findCondition(observed.deployment.status?.conditions, "Progressing");
      const hasGivenUp = progressing?.status === "False" && progressing.reason === DEADLINE_EXCEEDED;
      if (!failure.isFinal && !hasGivenUp) return;
      conditions.set(RESOURCES_AVAILABLE, {
        status: "False",
        reason: failure.reason,
        message: failure.message,
      });
    }
  }
}

/** Outside the set `Ready` is made of: an idle revision is no less ready. C-16, C-17. */
function markActive(conditions: ConditionSet, change: ConditionChange): void {
  const { status, reason, message } = change;
  conditions.set(ACTIVE, {
    status,
    severity: "Info",
    ...(status === "True" || reason === undefined ? {} : { reason }),
    ...(status === "True" || message === undefined ? {} : { message }),
  });
}

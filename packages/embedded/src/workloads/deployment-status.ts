import {
  type Condition,
  type Deployment,
  findCondition,
  parseRfc3339,
  rfc3339,
  type WallMs,
} from "@rouse/shared";

type DeploymentStatus = NonNullable<Deployment["status"]>;

/** Kubernetes' default; the Serving controller always sets its own (C-48). */
const PROGRESS_DEADLINE_SECONDS_DEFAULT = 600;

/** Pods of a Deployment that are neither terminating nor finished. */
export interface ReplicaCounts {
  readonly replicas: number;
  /** Made from the current template. */
  readonly updated: number;
  readonly ready: number;
}

export interface DeploymentObservation {
  readonly deployment: Pick<Deployment, "spec" | "status"> & {
    readonly metadata: { readonly generation: number };
  };
  readonly counts: ReplicaCounts;
  readonly maxUnavailable: number;
  /** Why pods could not be created in this pass. */
  readonly createFailure: string | undefined;
  readonly at: WallMs;
}

export interface DeploymentVerdict {
  readonly status: DeploymentStatus;
  /** When the progress deadline has to be looked at again. */
  readonly recheckAfterMs: number | undefined;
}

/**
 * The status a Deployment should have. `Progressing` becomes False `ProgressDeadlineExceeded` when nothing got better
 * for `progressDeadlineSeconds` during a rollout; once the rollout has completed the deadline rests until the template
 * changes, as in Kubernetes. Source: pkg/controller/deployment/progress.go; C-58, C-167.
 */
export function deploymentStatus(seen: DeploymentObservation): DeploymentVerdict {
  const { deployment, counts } = seen;
  const wanted = deployment.spec.replicas ?? 1;
  const before = deployment.status;
  const progressing = nextProgressing(seen, wanted);
  const deadlineSeconds = deployment.spec.progressDeadlineSeconds ?? PROGRESS_DEADLINE_SECONDS_DEFAULT;
  const conditions = [
    available(seen, wanted),
    progressing,
    ...(seen.createFailure === undefined ? [] : [replicaFailure(seen.createFailure)]),
  ].map((condition) => stamped(condition, findCondition(before?.conditions, condition.type), seen.at));
  return {
    status: {
      observedGeneration: deployment.metadata.generation,
      replicas: counts.replicas,
      updatedReplicas: counts.updated,
      readyReplicas: counts.ready,
      availableReplicas: counts.ready,
      unavailableReplicas: Math.max(0, wanted - counts.ready),
      conditions,
    },
    recheckAfterMs:
      progressing.status === "True" && progressing.reason !== "NewReplicaSetAvailable"
        ? Math.max(0, updatedAt(progressing, seen.at) + deadlineSeconds * 1_000 - seen.at) + 1
        : undefined,
  };
}

function available({ counts, maxUnavailable }: DeploymentObservation, wanted: number): Condition {
  return counts.ready >= wanted - maxUnavailable
    ? {
        type: "Available",
        status: "True",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      }
    : {
        type: "Available",
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      };
}

function nextProgressing(seen: DeploymentObservation, wanted: number): Condition {
  const { counts, deployment, at } = seen;
  const before = findCondition(deployment.status?.conditions, "Progressing");
  const isSettled = before?.reason === "NewReplicaSetAvailable" && counts.replicas === counts.updated;
  if (isSettled) return before;
  if (counts.updated === wanted && counts.replicas === wanted && counts.ready >= wanted) {
    return progress("True", "NewReplicaSetAvailable", "Deployment has successfully progressed.", at);
  }
  if (before === undefined || before.reason === "NewReplicaSetAvailable") {
    return progress("True", "NewReplicaSetCreated", "A rollout has begun.", at);
  }
  if (hasProgressed(deployment.status, counts)) {
    return progress("True", "ReplicaSetUpdated", "The rollout is progressing.", at);
  }
  const deadlineSeconds = deployment.spec.progressDeadlineSeconds ?? PROGRESS_DEADLINE_SECONDS_DEFAULT;
  if (before.status === "True" && at - updatedAt(before, at) >= deadlineSeconds * 1_000) {
    const message = `No progress for ${deadlineSeconds} s: ${counts.ready} of ${wanted} pods are ready.`;
    return progress("False", "ProgressDeadlineExceeded", message, at);
  }
  return before;
}

function hasProgressed(before: DeploymentStatus | undefined, now: ReplicaCounts): boolean {
  const updatedBefore = before?.updatedReplicas ?? 0;
  return (
    now.updated > updatedBefore ||
    now.ready > (before?.readyReplicas ?? 0) ||
    now.replicas - now.updated < (before?.replicas ?? 0) - updatedBefore
  );
}

function progress(status: "True" | "False", reason: string, message: string, at: WallMs): Condition {
  return { type: "Progressing", status, reason, message, lastUpdateTime: rfc3339(at) };
}

function replicaFailure(message: string): Condition {
  return { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message };
}

function updatedAt(condition: Condition, otherwise: WallMs): number {
  return parseRfc3339(condition.lastUpdateTime ?? condition.lastTransitionTime ?? "") ?? otherwise;
}

/** `lastTransitionTime` moves with the status alone, as for every built-in kind. */
function stamped(condition: Condition, before: Condition | undefined, at: WallMs): Condition {
  const time = before?.status === condition.status ? before.lastTransitionTime : undefined;
  return { ...condition, lastTransitionTime: time ?? rfc3339(at) };
}

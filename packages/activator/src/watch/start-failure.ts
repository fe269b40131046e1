import {
  type Condition,
  type ContainerStatus,
  findCondition,
  type Pod,
  type Revision,
  type TerminatedState,
} from "@rouse/shared";

/** Why a revision has no pod, and will not have one however long one waits. */
export interface StartFailure {
  readonly reason: string;
  readonly message: string;
}

/** What is known about a revision that has no usable pod. */
export interface StartEvidence {
  readonly revision: Pick<Revision, "status">;
  /** Its pods, those on their way out left out. */
  readonly pods: readonly Pick<Pod, "status">[];
}

/** Waiting that ends by itself as often as not. */
const PASSING: ReadonlySet<string> = new Set([
  "ContainerCreating",
  "PodInitializing",
  "ErrImagePull", // tried again; `ImagePullBackOff` after the second time is not passing
  "RegistryUnavailable",
]);
const CRASH_LOOP = "CrashLoopBackOff";
/** What keeps a revision from having any pod at all. All else it says is about pods it had, and the next may do better. */
const NO_POD_AT_ALL: ReadonlySet<string> = new Set(["ContainerMissing", "FailedCreate", "NotOwned"]);

/**
 * Whether waiting is for nothing, from what the API says now:
 *
 * | pods | verdict |
 * |---|---|
 * | any that may still come up | wait |
 * | all have a container that cannot be created or run (`CreateContainerError`, `ImagePullBackOff` …) | its reason |
 * | all crash-loop: two ends in a row, and the next try is seconds away | the last exit |
 * | none, and the revision says it cannot have any (`ContainerMissing`, `FailedCreate`, `NotOwned`) | its reason |
 * | none, and the revision speaks of pods it had (`ExitCode1` …) | wait: the next may do better |
 *
 * A single crash is not final: the container is started again at once.
 */
export function startFailure({ revision, pods }: StartEvidence): StartFailure | undefined {
  if (pods.length === 0) return failureOfRevision(revision);
  const failures = pods.map(failureOfPod);
  return failures.every((failure) => failure !== undefined) ? failures[0] : undefined;
}

/** What a request that waits is waiting for, in words. */
export function describeWait({ revision, pods }: StartEvidence): string {
  const [pod] = pods;
  if (pod === undefined) {
    const condition = falseCondition(revision);
    return condition === undefined
      ? "no pod was created"
      : `no pod was created, ${condition.reason ?? condition.type}: ${condition.message ?? ""}`;
  }
  const statuses = pod.status?.containerStatuses ?? [];
  for (const { state, lastState } of statuses) {
    if (state !== undefined && "waiting" in state) {
      const { reason, message } = state.waiting;
      return message === undefined ? reason : `${reason}: ${message}`;
    }
    const ended = terminated(state) ?? terminated(lastState);
    if (ended !== undefined) return exitText(ended);
  }
  return statuses.length === 0 ? "its pod is pending" : "its pod is running and not ready";
}

function failureOfRevision(revision: StartEvidence["revision"]): StartFailure | undefined {
  const condition = falseCondition(revision);
  if (condition === undefined) return undefined;
  const { reason = condition.type, message = "" } = condition;
  return NO_POD_AT_ALL.has(reason) ? { reason, message } : undefined;
}

function falseCondition({ status }: StartEvidence["revision"]): Condition | undefined {
  return ["ContainerHealthy", "ResourcesAvailable"]
    .map((type) => findCondition(status?.conditions, type))
    .find((condition) => condition?.status === "False");
}

function failureOfPod({ status }: Pick<Pod, "status">): StartFailure | undefined {
  for (const container of status?.containerStatuses ?? []) {
    const failure = failureOfContainer(container);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function failureOfContainer({ state, lastState, restartCount }: ContainerStatus): StartFailure | undefined {
  if (state === undefined || !("waiting" in state)) return undefined;
  const { reason, message = "" } = state.waiting;
  if (reason !== CRASH_LOOP) return PASSING.has(reason) ? undefined : { reason, message };
  if (restartCount < 1) return undefined;
  const ended = terminated(lastState);
  return { reason, message: ended === undefined ? message : exitText(ended) };
}

function terminated(state: ContainerStatus["state"]): TerminatedState | undefined {
  return state !== undefined && "terminated" in state ? state.terminated : undefined;
}

function exitText({ exitCode, message = "" }: TerminatedState): string {
  const text = message.trim();
  return text === "" ? `exit code ${exitCode}` : `exit code ${exitCode}: ${text}`;
}

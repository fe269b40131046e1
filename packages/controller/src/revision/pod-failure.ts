import {
  type ContainerStatus,
  findCondition,
  type Pod,
  QUEUE_PROXY_CONTAINER,
  type Stored,
  type TerminatedState,
} from "@rouse/shared";

/** Why a pod does not come up. */
export type PodFailure =
  | { readonly kind: "unschedulable"; readonly reason: string; readonly message: string }
  | { readonly kind: "exited"; readonly exitCode: number; readonly message: string }
  /** `isFinal`: waiting longer will not help, so it is told at once and not after the progress deadline. */
  | {
      readonly kind: "waiting";
      readonly reason: string;
      readonly message: string;
      readonly isFinal: boolean;
    };

/** Waiting that ends by itself as often as not: reported only when the Deployment has given up (C-58 step 2). */
const TRANSIENT: ReadonlySet<string> = new Set([
  "ContainerCreating",
  "PodInitializing",
  "CrashLoopBackOff",
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "RegistryUnavailable",
]);

/**
 * The failure to report for a revision, of the pod that failed last: one arbitrary pod could be one that is still
 * fine (C-62). Pods on their way out do not count, nor do those that have recovered: they remember their last end.
 */
export function podFailure(pods: readonly Stored<Pod>[]): PodFailure | undefined {
  let found: { readonly at: string; readonly failure: PodFailure } | undefined;
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined || isReady(pod)) continue;
    const failure = failureOf(pod);
    if (failure === undefined) continue;
    const at = finishedAt(pod);
    if (found === undefined || at > found.at) found = { at, failure };
  }
  return found?.failure;
}

/** Whether one of them serves. */
export function hasReadyPod(pods: readonly Stored<Pod>[]): boolean {
  return pods.some((pod) => pod.metadata.deletionTimestamp === undefined && isReady(pod));
}

function isReady(pod: Stored<Pod>): boolean {
  return findCondition(pod.status?.conditions, "Ready")?.status === "True";
}

function failureOf(pod: Stored<Pod>): PodFailure | undefined {
  const scheduled = findCondition(pod.status?.conditions, "PodScheduled");
  if (scheduled?.status === "False") {
    const { reason = "Unschedulable", message = "" } = scheduled;
    return { kind: "unschedulable", reason, message };
  }
  for (const status of userContainers(pod)) {
    const ended = lastEnd(status);
    if (ended !== undefined) {
      return { kind: "exited", exitCode: ended.exitCode, message: exitMessage(ended) };
    }
    if (status.state !== undefined && "waiting" in status.state) {
      const { reason, message = "" } = status.state.waiting;
      return { kind: "waiting", reason, message, isFinal: !TRANSIENT.has(reason) };
    }
  }
  return undefined;
}

function userContainers(pod: Stored<Pod>): readonly ContainerStatus[] {
  return (pod.status?.containerStatuses ?? []).filter(({ name }) => name !== QUEUE_PROXY_CONTAINER);
}

/** How a container ended last, also while it still lies there and no restart has been tried. */
function lastEnd(status: ContainerStatus): TerminatedState | undefined {
  const { state, lastState } = status;
  if (lastState !== undefined && "terminated" in lastState) return lastState.terminated;
  return state !== undefined && "terminated" in state ? state.terminated : undefined;
}

function exitMessage({ exitCode, message = "" }: TerminatedState): string {
  if (message !== "") return `Container failed with: ${message}`;
  return exitCode === 0 ? "Container exited with no error" : `Container exited with code ${exitCode}`;
}

function finishedAt(pod: Stored<Pod>): string {
  const times = userContainers(pod).map((status) => lastEnd(status)?.finishedAt ?? "");
  return times.sort().at(-1) ?? "";
}

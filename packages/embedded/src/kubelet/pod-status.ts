import {
  type Condition,
  type ConditionStatus,
  type Container,
  type ContainerState,
  type ContainerStatus,
  findCondition,
  type Pod,
  type PodStatus,
  QUEUE_PROXY_CONTAINER,
  rfc3339,
  type TerminatedState,
  unreachable,
  type WallMs,
} from "@rouse/shared";
import type { InitContainer } from "./init-containers.ts";
import type { Exit, History, PodState } from "./pod-lifecycle.ts";

/** Everything a pod's status is made of. */
export interface PodView {
  readonly pod: Pick<Pod, "spec">;
  readonly state: PodState;
  readonly ip: string | undefined;
  readonly startTime: WallMs;
  readonly sidecar: SidecarView;
  /** Containers beside the serving one. */
  readonly sides?: readonly SideView[];
  readonly inits?: readonly InitContainer[];
}

/** A container of its own process, beside the serving one. */
export interface SideView {
  readonly container: Pick<Container, "name">;
  readonly state: PodState;
}

/** The queue-proxy beside the process; `none` for pods that have no such container. */
export type SidecarView =
  | { readonly kind: "none" }
  | { readonly kind: "starting" }
  | { readonly kind: "running"; readonly since: WallMs }
  | { readonly kind: "failed"; readonly message: string };

/** The status of a pod that has a place in the home: conditions, containers (queue-proxy among them), address. */
export function podStatus(view: PodView, before: PodStatus | undefined, at: WallMs): PodStatus {
  const isReady = isPodReady(view);
  const isInitialized = (view.inits ?? []).every(isDone);
  const unready = isReady ? {} : { reason: "ContainersNotReady", message: "containers are not ready" };
  return {
    phase: hasRun(view.state) ? "Running" : "Pending",
    conditions: stamped(
      [
        { type: "PodScheduled", status: "True" },
        {
          type: "Initialized",
          status: asStatus(isInitialized),
          ...(isInitialized
            ? {}
            : { reason: "ContainersNotInitialized", message: "init containers are not done" }),
        },
        { type: "ContainersReady", status: asStatus(isReady), ...unready },
        { type: "Ready", status: asStatus(isReady), ...unready },
      ],
      before?.conditions,
      at,
    ),
    hostIP: "127.0.0.1",
    ...(view.ip === undefined ? {} : { podIP: view.ip, podIPs: [{ ip: view.ip }] }),
    startTime: rfc3339(view.startTime),
    containerStatuses: view.pod.spec.containers.map((container) =>
      container.name === QUEUE_PROXY_CONTAINER && view.sidecar.kind !== "none"
        ? sidecarStatus(container.image, view.sidecar, isReady)
        : processStatus(
            container.name,
            container.image,
            view.sides?.find((side) => side.container.name === container.name)?.state ?? view.state,
          ),
    ),
    ...(view.inits === undefined || view.inits.length === 0
      ? {}
      : { initContainerStatuses: view.inits.map(initStatus) }),
  };
}

/** Why the home has no place for a pod at the moment. */
export interface Obstacle {
  readonly reason: "OutOfPods" | "HostPort";
  readonly message: string;
}

/** The status of a pod for which the home has no place. It starts when there is one. */
export function unschedulableStatus(
  { reason, message }: Obstacle,
  before: PodStatus | undefined,
  at: WallMs,
): PodStatus {
  const condition: Condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message };
  return { phase: "Pending", conditions: stamped([condition], before?.conditions, at), reason, message };
}

export function isPodReady(view: Pick<PodView, "state" | "sidecar" | "sides">): boolean {
  const { state, sidecar, sides = [] } = view;
  const isAlive = state.kind === "running" || state.kind === "draining";
  return (
    isAlive &&
    state.run.isReady &&
    (sidecar.kind === "running" || sidecar.kind === "none") &&
    sides.every((side) => side.state.kind === "running" && side.state.run.isReady)
  );
}

function isDone({ state }: InitContainer): boolean {
  return state.kind === "ended" && state.exit.exitCode === 0;
}

function initStatus(init: InitContainer): ContainerStatus {
  const { container, restarts } = init;
  return {
    name: container.name,
    image: container.image ?? "",
    imageID: "",
    ready: isDone(init),
    restartCount: restarts,
    state: initState(init),
  };
}

function initState({ state }: InitContainer): ContainerState {
  switch (state.kind) {
    case "waiting":
      return { waiting: { reason: "PodInitializing" } };
    case "running":
      return { running: { startedAt: rfc3339(state.startedAt) } };
    case "refused":
      return { waiting: { reason: state.reason, message: state.message } };
    case "ended":
      return { terminated: terminated(state.exit) };
    default:
      return unreachable(state);
  }
}

/** Pending until a process of it has been started, as in Kubernetes; the autoscaler counts by it (S-117). */
function hasRun(state: PodState): boolean {
  switch (state.kind) {
    case "starting":
    case "backing-off":
      return state.history.lastExit !== undefined;
    case "running":
    case "draining":
    case "stopping":
      return true;
    case "refused":
    case "gone":
      return false;
    default:
      return unreachable(state);
  }
}

function sidecarStatus(image: string | undefined, sidecar: SidecarView, isReady: boolean): ContainerStatus {
  return {
    name: QUEUE_PROXY_CONTAINER,
    image: image ?? "",
    imageID: "",
    ready: isReady, // its readiness is the user's
    restartCount: 0,
    state: sidecarState(sidecar),
  };
}

function sidecarState(sidecar: SidecarView): ContainerState {
  switch (sidecar.kind) {
    case "running":
      return { running: { startedAt: rfc3339(sidecar.since) } };
    case "failed":
      return { waiting: { reason: "CreateContainerError", message: sidecar.message } };
    case "starting":
    case "none":
      return { waiting: { reason: "ContainerCreating" } };
    default:
      return unreachable(sidecar);
  }
}

function processStatus(name: string, image: string | undefined, state: PodState): ContainerStatus {
  const history = historyOf(state);
  return {
    name,
    image: image ?? "",
    imageID: "",
    ready: (state.kind === "running" || state.kind === "draining") && state.run.isReady,
    restartCount: history?.restarts ?? 0,
    state: processState(state),
    ...(history?.lastExit === undefined ? {} : { lastState: { terminated: terminated(history.lastExit) } }),
  };
}

function processState(state: PodState): ContainerState {
  switch (state.kind) {
    case "refused":
    case "backing-off":
      return { waiting: { reason: state.reason, message: state.message } };
    case "starting":
    case "gone":
      return { waiting: { reason: "ContainerCreating" } };
    case "running":
    case "draining":
    case "stopping":
      return { running: { startedAt: rfc3339(state.run.startedAt) } };
    default:
      return unreachable(state);
  }
}

function historyOf(state: PodState): History | undefined {
  return state.kind === "refused" || state.kind === "gone" ? undefined : state.history;
}

function terminated(exit: Exit): TerminatedState {
  return {
    exitCode: exit.exitCode,
    ...(exit.signal === undefined ? {} : { signal: exit.signal }),
    reason: exit.exitCode === 0 ? "Completed" : "Error",
    ...(exit.message === "" ? {} : { message: exit.message }),
    startedAt: rfc3339(exit.startedAt),
    finishedAt: rfc3339(exit.finishedAt),
  };
}

function asStatus(is: boolean): ConditionStatus {
  return is ? "True" : "False";
}

function stamped(
  conditions: readonly Condition[],
  before: readonly Condition[] | undefined,
  at: WallMs,
): readonly Condition[] {
  return conditions.map((condition) => {
    const known = findCondition(before, condition.type);
    const time = known?.status === condition.status ? known.lastTransitionTime : undefined;
    return { ...condition, lastTransitionTime: time ?? rfc3339(at) };
  });
}

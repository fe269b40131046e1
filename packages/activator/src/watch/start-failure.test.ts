import type { ContainerState, Pod } from "@rouse/shared";
import { expect, test } from "vitest";
import { describeWait, startFailure } from "./start-failure.ts";

type PodStatusOnly = Pick<Pod, "status">;

function pod(
  state: ContainerState,
  more: { restartCount?: number; lastState?: ContainerState } = {},
): PodStatusOnly {
  const containerStatuses = [{ name: "user-container", ready: false, restartCount: 0, state, ...more }];
  return { status: { phase: "Pending", containerStatuses } };
}

const waiting = (reason: string, message = "why"): ContainerState => ({ waiting: { reason, message } });
const exit = (exitCode: number, message: string): ContainerState => ({ terminated: { exitCode, message } });
const running: ContainerState = { running: { startedAt: "2026-01-01T00:00:00Z" } };
const says = (type: string, reason: string) => ({
  status: { conditions: [{ type, status: "False", reason, message: "why" } as const] },
});
const fine = { status: { conditions: [] } };

test.each([
  { name: "no pods yet", revision: fine, pods: [], want: undefined },
  { name: "starting", revision: fine, pods: [pod(waiting("ContainerCreating"))], want: undefined },
  { name: "running, not ready", revision: fine, pods: [pod(running)], want: undefined },
  {
    name: "cannot be created",
    revision: fine,
    pods: [pod(waiting("CreateContainerError"))],
    want: "CreateContainerError: why",
  },
  {
    name: "cannot be run",
    revision: fine,
    pods: [pod(waiting("RunContainerError"))],
    want: "RunContainerError: why",
  },
  {
    name: "image back-off",
    revision: fine,
    pods: [pod(waiting("ImagePullBackOff"))],
    want: "ImagePullBackOff: why",
  },
  { name: "one image pull failed", revision: fine, pods: [pod(waiting("ErrImagePull"))], want: undefined },
  {
    name: "one crash",
    revision: says("ContainerHealthy", "ExitCode1"),
    pods: [pod(waiting("ContainerCreating"), { restartCount: 1, lastState: exit(1, "boom") })],
    want: undefined,
  },
  {
    name: "one crash, already in back-off",
    revision: says("ContainerHealthy", "ExitCode1"),
    pods: [pod(waiting("CrashLoopBackOff"), { restartCount: 0, lastState: exit(1, "boom") })],
    want: undefined,
  },
  {
    name: "two crashes",
    revision: fine,
    pods: [pod(waiting("CrashLoopBackOff"), { restartCount: 1, lastState: exit(1, "boom\n") })],
    want: "CrashLoopBackOff: exit code 1: boom",
  },
  {
    name: "one pod of two may still come up",
    revision: fine,
    pods: [pod(waiting("CreateContainerError")), pod(waiting("ContainerCreating"))],
    want: undefined,
  },
  {
    name: "no image",
    revision: says("ContainerHealthy", "ContainerMissing"),
    pods: [],
    want: "ContainerMissing: why",
  },
  {
    name: "no quota",
    revision: says("ResourcesAvailable", "FailedCreate"),
    pods: [],
    want: "FailedCreate: why",
  },
  {
    name: "crashed before it was scaled to zero",
    revision: says("ContainerHealthy", "ExitCode1"),
    pods: [],
    want: undefined,
  },
])("$name", ({ revision, pods, want }) => {
  const failure = startFailure({ revision, pods });
  expect(failure === undefined ? undefined : `${failure.reason}: ${failure.message}`).toBe(want);
});

test.each([
  { pods: [], want: "no pod was created" },
  { pods: [pod(waiting("ContainerCreating", "port"))], want: "ContainerCreating: port" },
  { pods: [pod(running)], want: "its pod is running and not ready" },
  { pods: [pod(running, { lastState: exit(3, "") })], want: "exit code 3" },
  { pods: [{}], want: "its pod is pending" },
])("what is waited for: $want", ({ pods, want }) => {
  expect(describeWait({ revision: fine, pods })).toBe(want);
});

import {
  type Condition,
  ConditionSet,
  type ContainerStatus,
  type Deployment,
  type Pod,
  type PodAutoscaler,
  type Stored,
} from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { stored } from "../../test/stored.ts";
import { hasReadyPod, podFailure } from "./pod-failure.ts";
import { followDeployment, followPodAutoscaler } from "./revision-status.ts";

const READY = { ResourcesAvailable: "True", ContainerHealthy: "True" } as const;

function conditionsOf(before: Readonly<Record<string, Condition["status"]>> = {}): ConditionSet {
  const given = Object.entries(before).map(([type, status]) => ({ type, status }));
  return new ConditionSet("Ready", ["ResourcesAvailable", "ContainerHealthy"], given);
}

function say(conditions: ConditionSet, type: string): string {
  const { status, reason = "" } = conditions.get(type);
  return `${status} ${reason}`.trim();
}

function deploymentOf(
  conditions: readonly Condition[],
  counts: { readonly replicas?: number; readonly ready?: number } = {},
): Stored<Deployment> {
  const { replicas = 1, ready = 0 } = counts;
  return stored<Deployment>({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d" },
    spec: { replicas, selector: {}, template: { spec: { containers: [] } } },
    status: { readyReplicas: ready, availableReplicas: ready, conditions },
  });
}

function podOf(
  containerStatus: Partial<ContainerStatus> | undefined,
  conditions: readonly Condition[] = [],
): Stored<Pod> {
  const status = { name: "user-container", ready: false, restartCount: 0, ...containerStatus };
  return stored<Pod>({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p" },
    spec: { containers: [] },
    status: {
      phase: "Pending",
      conditions,
      ...(containerStatus === undefined ? {} : { containerStatuses: [status] }),
    },
  });
}

function podAutoscalerOf(
  ready: Omit<Condition, "type"> | undefined,
  rest: { readonly isInitialized?: boolean; readonly serviceName?: string } = {},
): Stored<PodAutoscaler> {
  const { isInitialized = true, serviceName = "hello-00001" } = rest;
  return stored<PodAutoscaler>({
    apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
    kind: "PodAutoscaler",
    metadata: { name: "hello-00001" },
    spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" }, protocolType: "http1" },
    status: {
      serviceName,
      conditions:
        ready === undefined
          ? []
          : [
              { type: "Ready", ...ready },
              { type: "ScaleTargetInitialized", status: isInitialized ? "True" : "Unknown" },
            ],
    },
  });
}

const progressing: Condition = { type: "Progressing", status: "True" };
const gaveUp: Condition = {
  type: "Progressing",
  status: "False",
  reason: "ProgressDeadlineExceeded",
  message: "t/o",
};

describe("CV-29, C-58, C-60: how failures show", () => {
  const exited = (exitCode: number, message?: string): Partial<ContainerStatus> => ({
    lastState: { terminated: { exitCode, ...(message === undefined ? {} : { message }) } },
  });
  const waiting = (reason: string): Partial<ContainerStatus> => ({
    state: { waiting: { reason, message: "no" } },
  });
  const unschedulable: Condition = {
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message: "full",
  };
  test.each([
    {
      why: "the deadline passed",
      of: [gaveUp],
      pod: podOf(undefined),
      resources: "False ProgressDeadlineExceeded",
    },
    {
      why: "an image cannot be had, deadline passed",
      of: [gaveUp],
      pod: podOf(waiting("ImagePullBackOff")),
      resources: "False ImagePullBackOff",
    },
    {
      why: "an image cannot be had yet",
      of: [progressing],
      pod: podOf(waiting("ImagePullBackOff")),
      resources: "True",
    },
    {
      why: "the command does not exist",
      of: [progressing],
      pod: podOf(waiting("RunContainerError")),
      resources: "False RunContainerError",
    },
    {
      why: "it exits with 5",
      of: [progressing],
      pod: podOf(exited(5, "boom")),
      resources: "True",
      containers: "False ExitCode5",
    },
    {
      why: "it exits with 0",
      of: [progressing],
      pod: podOf(exited(0)),
      resources: "True",
      containers: "False ExitCode0",
    },
    {
      why: "pods are refused",
      of: [progressing, { type: "ReplicaFailure", status: "True", reason: "FailedCreate" }],
      pod: podOf(undefined),
      resources: "False FailedCreate",
    },
    {
      why: "it finds no place",
      of: [progressing],
      pod: podOf(undefined, [unschedulable]),
      resources: "False Unschedulable",
    },
    { why: "nothing is said yet", of: [], pod: podOf(undefined), resources: "Unknown Deploying" },
  ] as const)("$why: $resources $containers", ({ of, pod, resources, ...rest }) => {
    const conditions = conditionsOf();
    const failure = podFailure([pod]);
    followDeployment(conditions, {
      deployment: deploymentOf(of),
      failure,
      hasReadyPod: false,
      isPodAlwaysSchedulable: false,
    });
    expect(say(conditions, "ResourcesAvailable")).toBe(resources);
    expect(say(conditions, "ContainerHealthy")).toBe("containers" in rest ? rest.containers : "Unknown");
  });

  test("its last words are in the message", () => {
    const failure = podFailure([podOf(exited(5, "boom"))]);
    expect(failure).toMatchObject({ kind: "exited", exitCode: 5, message: expect.stringMatching(/boom$/) });
  });

  test("where pods are always schedulable, a place is waited for", () => {
    const conditions = conditionsOf();
    const failure = podFailure([podOf(undefined, [unschedulable])]);
    followDeployment(conditions, {
      deployment: deploymentOf([]),
      failure,
      hasReadyPod: false,
      isPodAlwaysSchedulable: true,
    });
    expect(say(conditions, "ResourcesAvailable")).toBe("Unknown Deploying");
  });

  test("C-61: with the first ready pod it recovers", () => {
    const conditions = conditionsOf({ ContainerHealthy: "False" });
    const failure = podFailure([podOf(exited(5, "boom"))]);
    const deployment = deploymentOf([progressing], { ready: 1 });
    followDeployment(conditions, { deployment, failure, hasReadyPod: false, isPodAlwaysSchedulable: false });
    followPodAutoscaler(conditions, podAutoscalerOf({ status: "True" }));
    expect(say(conditions, "Ready")).toBe("True");
  });

  test("C-61: it recovers as well where its pod is ready and the Deployment's status does not say so yet", () => {
    const conditions = conditionsOf({ ContainerHealthy: "False" });
    const pods = [podOf(exited(5, "boom"), [{ type: "Ready", status: "True" }])];
    followDeployment(conditions, {
      deployment: deploymentOf([progressing]),
      failure: podFailure(pods),
      hasReadyPod: hasReadyPod(pods),
      isPodAlwaysSchedulable: false,
    });
    expect(say(conditions, "ContainerHealthy")).toBe("True");
  });

  test("C-62: of several pods the one that failed last is told, and none that is being deleted", () => {
    const at = (finishedAt: string, exitCode: number): Stored<Pod> =>
      podOf({ lastState: { terminated: { exitCode, finishedAt } } });
    const going = at("2026-01-01T00:00:09Z", 9);
    const deleted = { ...going, metadata: { ...going.metadata, deletionTimestamp: "2026-01-01T00:00:09Z" } };
    const pods = [
      at("2026-01-01T00:00:01Z", 1),
      at("2026-01-01T00:00:03Z", 3),
      deleted,
      at("2026-01-01T00:00:02Z", 2),
    ];
    expect(podFailure(pods)).toMatchObject({ exitCode: 3 });
  });
});

describe("CV-30, C-58, C-59, S-115: what the autoscaler says", () => {
  const noTraffic = { status: "False", reason: "NoTraffic" } as const;
  test.each([
    {
      why: "queued",
      pa: podAutoscalerOf({ status: "Unknown", reason: "Queued" }),
      active: "Unknown Queued",
      resources: "True",
      ready: "True",
    },
    {
      why: "at zero",
      pa: podAutoscalerOf(noTraffic),
      active: "False NoTraffic",
      resources: "True",
      ready: "True",
    },
    {
      why: "serving",
      pa: podAutoscalerOf({ status: "True" }),
      active: "True",
      resources: "True",
      ready: "True",
    },
    {
      why: "never got to its initial scale",
      pa: podAutoscalerOf(noTraffic, { isInitialized: false }),
      active: "False NoTraffic",
      resources: "False ProgressDeadlineExceeded",
      ready: "False ProgressDeadlineExceeded",
    },
    {
      why: "has no service yet",
      pa: podAutoscalerOf(noTraffic, { isInitialized: false, serviceName: "" }),
      active: "False NoTraffic",
      resources: "Unknown Deploying",
      ready: "Unknown Deploying",
    },
    {
      why: "says nothing",
      pa: podAutoscalerOf(undefined),
      active: "Unknown Deploying",
      resources: "Unknown Deploying",
      ready: "Unknown Deploying",
    },
  ])("$why: Active $active, Ready $ready", ({ pa, active, resources, ready }) => {
    const conditions = conditionsOf(READY);
    followPodAutoscaler(conditions, pa);
    expect(say(conditions, "Active")).toBe(active);
    expect(conditions.get("Active").severity).toBe("Info");
    expect(say(conditions, "ResourcesAvailable")).toBe(resources);
    expect(say(conditions, "Ready")).toBe(ready);
  });

  test("what is broken stays so, whatever the autoscaler says", () => {
    const conditions = conditionsOf({ ResourcesAvailable: "True", ContainerHealthy: "False" });
    followPodAutoscaler(conditions, podAutoscalerOf(noTraffic));
    expect(say(conditions, "ContainerHealthy")).toBe("False");
  });
});

import type { Deployment } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { revisionOf, settings, stored } from "../../test/stored.ts";
import { makePodAutoscaler, reachability, updatedPodAutoscaler } from "./pod-autoscaler.ts";

const STATE = "serving.knative.dev/routingState";
const CLASS = "autoscaling.knative.dev/class";
const MIN = "autoscaling.knative.dev/min-scale";
const annotated = (annotations: Record<string, string>) =>
  revisionOf("hello-00001", { meta: { annotations } });

test("C-56: it scales the Deployment and carries the revision's scaling annotations", () => {
  const revision = revisionOf("hello-00001", {
    meta: {
      annotations: { [MIN]: "1", "serving.knative.dev/routes": "hello" },
      labels: { [STATE]: "active" },
    },
    spec: {
      containers: [{ name: "a", ports: [{ name: "h2c", containerPort: 9000 }] }],
      containerConcurrency: 3,
    },
  });
  const { metadata, spec } = makePodAutoscaler(revision, settings, "Reachable");
  expect(metadata.annotations).toEqual({ [MIN]: "1", [CLASS]: "kpa.autoscaling.knative.dev" });
  expect(metadata.labels).not.toHaveProperty(STATE);
  expect(spec).toEqual({
    containerConcurrency: 3,
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello-00001-deployment" },
    protocolType: "h2c",
    reachability: "Reachable",
  });
});

test("a program with a fixed port has one pod at most", () => {
  const made = makePodAutoscaler(annotated({ "rouse.dev/fixed-port": "true" }), settings, "");
  expect(made.metadata.annotations?.["autoscaling.knative.dev/max-scale"]).toBe("1");
});

describe("S-17: annotations follow the revision", () => {
  const made = makePodAutoscaler(annotated({ [MIN]: "1" }), settings, "Reachable");

  test("nothing to do when nothing changed", () => {
    expect(updatedPodAutoscaler(stored(made), made)).toBeUndefined();
  });

  test("a changed one is taken over, a lost one about scaling vanishes, others stay", () => {
    const live = stored({
      ...made,
      metadata: {
        ...made.metadata,
        annotations: { ...made.metadata.annotations, theirs: "kept", "autoscaling.knative.dev/window": "6s" },
      },
    });
    const updated = updatedPodAutoscaler(
      live,
      makePodAutoscaler(annotated({ [MIN]: "2" }), settings, "Reachable"),
    );
    expect(updated?.metadata.annotations).toEqual({
      [MIN]: "2",
      [CLASS]: "kpa.autoscaling.knative.dev",
      theirs: "kept",
    });
  });

  test("a new default class is for new ones", () => {
    const other = { ...settings, autoscaler: { ...settings.autoscaler, podAutoscalerClass: "other.class" } };
    expect(
      updatedPodAutoscaler(stored(made), makePodAutoscaler(annotated({ [MIN]: "1" }), other, "Reachable")),
    ).toBeUndefined();
  });
});

describe("S-25: reachability", () => {
  const deployment = (replicas: number, readyReplicas: number) =>
    stored<Deployment>({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "d" },
      spec: { replicas, selector: {}, template: { spec: { containers: [] } } },
      status: { readyReplicas },
    });
  test.each([
    { state: "active", failing: false, replicas: 1, ready: 0, want: "Reachable" },
    { state: "reserve", failing: false, replicas: 1, ready: 1, want: "Unreachable" },
    { state: "pending", failing: false, replicas: 1, ready: 1, want: "" },
    { state: undefined, failing: false, replicas: 1, ready: 1, want: "" },
    { state: "active", failing: true, replicas: 1, ready: 0, want: "Unreachable" },
    { state: "active", failing: true, replicas: 0, ready: 0, want: "Reachable" },
    { state: "active", failing: true, replicas: 2, ready: 1, want: "Reachable" },
  ])(
    "$state, failing $failing, $ready of $replicas ready: '$want'",
    ({ state, failing, replicas, ready, want }) => {
      const revision = revisionOf("r", { meta: state === undefined ? {} : { labels: { [STATE]: state } } });
      expect(reachability(revision, deployment(replicas, ready), failing)).toBe(want);
    },
  );
});

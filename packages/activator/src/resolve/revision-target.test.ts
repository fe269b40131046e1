import type { Revision } from "@rouse/shared";
import { expect, test } from "vitest";
import { revisionTarget } from "./revision-target.ts";

function revision(spec: Partial<Revision["spec"]>, annotations: Record<string, string> = {}): Revision {
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: { namespace: "default", name: "hello-1", annotations },
    spec: { containers: [{ name: "user-container" }], ...spec },
  };
}

test("A-140: without limits of its own 300 s and nothing else", () => {
  expect(revisionTarget(revision({}))).toEqual({
    key: "default/hello-1",
    namespace: "default",
    name: "hello-1",
    containerConcurrency: 0,
    portName: "http",
    timeoutMs: 300_000,
    responseStartTimeoutMs: 0,
    idleTimeoutMs: 0,
    waitMs: 300_000,
    privateService: "hello-1-private.default",
    service: "",
    configuration: "",
    loadBalancing: "contract",
    hasServerTiming: false,
    isUsableBeforeReady: true,
  });
});

test.each([
  { spec: { timeoutSeconds: 60 }, annotations: {}, waitMs: 60_000 },
  { spec: { timeoutSeconds: 60, responseStartTimeoutSeconds: 20 }, annotations: {}, waitMs: 20_000 },
  { spec: { timeoutSeconds: 60, idleTimeoutSeconds: 5 }, annotations: {}, waitMs: 5_000 },
  { spec: { timeoutSeconds: 60 }, annotations: { "rouse.dev/max-wait": "1500ms" }, waitMs: 1_500 },
  { spec: { timeoutSeconds: 60 }, annotations: { "rouse.dev/max-wait": "2m" }, waitMs: 60_000 },
  { spec: { timeoutSeconds: 60 }, annotations: { "rouse.dev/max-wait": "soon" }, waitMs: 60_000 },
])("the wait is the least of all limits: $spec $annotations", ({ spec, annotations, waitMs }) => {
  expect(revisionTarget(revision(spec, annotations)).waitMs).toBe(waitMs);
});

test.each([
  { containers: [{ name: "a", ports: [{ name: "h2c", containerPort: 1 }] }], want: "http2" },
  { containers: [{ name: "a", ports: [{ name: "http1", containerPort: 1 }] }], want: "http" },
  { containers: [{ name: "a" }, { name: "b", ports: [{ name: "h2c", containerPort: 1 }] }], want: "http2" },
  { containers: [], want: "http" },
])("A-9, A-141: the protocol's port is $want", ({ containers, want }) => {
  expect(revisionTarget(revision({ containers })).portName).toBe(want);
});

test("A-54: an exec readiness probe or a startup probe: not before Kubernetes says ready", () => {
  const exec = { readinessProbe: { exec: { command: ["true"] } } };
  const containers = [{ name: "a" }, { name: "b", ...exec }];
  expect(revisionTarget(revision({ containers })).isUsableBeforeReady).toBe(false);
});

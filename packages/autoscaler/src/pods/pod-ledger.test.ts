import { type Pod, revisionKey, type Stored } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { countPods, PodLedger } from "./pod-ledger.ts";

interface Shape {
  readonly name?: string;
  readonly phase?: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
  readonly isReady?: boolean;
  readonly isTerminating?: boolean;
  readonly ip?: string;
}

function pod({
  name = "p",
  phase = "Running",
  isReady = true,
  isTerminating = false,
  ip = "127.1.0.1",
}: Shape): Stored<Pod> {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: name,
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { "serving.knative.dev/revision": "r" },
      ...(isTerminating ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: { containers: [] },
    status: {
      phase,
      podIP: ip,
      startTime: "2026-01-01T00:00:00Z",
      conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
    },
  };
}

describe("states of a pod (S-117)", () => {
  const none = { ready: 0, notReady: 0, pending: 0, terminating: 0 };
  test.each([
    { shape: { phase: "Pending" }, want: { pending: 1, notReady: 1 } },
    { shape: { isTerminating: true }, want: { terminating: 1, notReady: 1 } },
    { shape: { isReady: true }, want: { ready: 1 } },
    { shape: { isReady: false }, want: { notReady: 1 } },
    { shape: { phase: "Succeeded" }, want: {} },
    { shape: { phase: "Failed" }, want: {} },
    { shape: { phase: "Unknown" }, want: {} },
  ] as const)("$shape counts as $want", ({ shape, want }) => {
    expect(countPods([pod(shape)])).toEqual({ ...none, ...want });
  });
});

test("S-45: those that run, are ready, have an address and do not end may be asked for their load", () => {
  const ledger = new PodLedger(() => {});
  ledger.changed(pod({ name: "asked" }));
  ledger.changed(pod({ name: "pending", phase: "Pending" }));
  ledger.changed(pod({ name: "failed", phase: "Failed" }));
  ledger.changed(pod({ name: "not-ready", isReady: false }));
  ledger.changed(pod({ name: "ending", isTerminating: true }));
  ledger.changed({
    ...pod({ name: "nowhere" }),
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  });
  const other = pod({ name: "other" });
  ledger.changed({ ...other, metadata: { ...other.metadata, namespace: "elsewhere" } });
  const asked = ledger.readyPods(revisionKey({ namespace: "default", name: "r" }));
  expect(asked.map(({ name }) => name)).toEqual(["asked"]);
  expect(asked[0]?.startedAt).toBe(Date.parse("2026-01-01T00:00:00Z"));
});

test("tells of changed counts and not of heartbeats, and forgets a revision without pods", () => {
  const revision = revisionKey({ namespace: "default", name: "r" });
  let changes = 0;
  const ledger = new PodLedger(() => changes++);
  ledger.changed(pod({ isReady: false }));
  ledger.changed(pod({ isReady: false, ip: "127.1.0.9" }));
  expect(changes).toBe(1);
  expect(ledger.readyPods(revision)).toEqual([]);
  ledger.changed(pod({}));
  expect(changes).toBe(2);
  expect(ledger.counts(revision).ready).toBe(1);
  expect(ledger.readyPods(revision)).toMatchObject([{ namespace: "default", name: "p", ip: "127.1.0.1" }]);
  ledger.changed(pod({ name: "q" }));
  expect(ledger.counts(revision).ready).toBe(2);
  ledger.removed(pod({}));
  ledger.removed(pod({ name: "q" }));
  ledger.removed(pod({ name: "q" }));
  expect(changes).toBe(5);
  expect(ledger.counts(revision)).toEqual({ ready: 0, notReady: 0, pending: 0, terminating: 0 });
});

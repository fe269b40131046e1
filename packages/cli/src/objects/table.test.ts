import {
  EventKind,
  HorizontalPodAutoscalerKind,
  KnativeServiceKind,
  type KubeObject,
  PodKind,
  parseRfc3339,
  type Stored,
  type WallMs,
} from "@rouse/shared";
import { expect, test } from "vitest";
import { age, table } from "./table.ts";

const at = (text: string): WallMs => {
  const ms = parseRfc3339(text);
  if (ms === undefined) throw new Error(`${text} is no time`);
  return ms;
};
const now = at("2026-01-01T00:01:00Z");

function object(fields: object): Stored<KubeObject> {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "hello",
      namespace: "default",
      uid: "u",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    ...fields,
  };
}

test("a service shows its address, its revision and why it is not ready", () => {
  const service = object({
    status: {
      url: "http://hello.default.localhost:8080",
      latestReadyRevisionName: "hello-00001",
      conditions: [{ type: "Ready", status: "False", reason: "RevisionFailed" }],
    },
  });
  expect(table(KnativeServiceKind, [service], { now, withNamespace: false })).toEqual([
    "NAME    URL                                   LATEST        READY   REASON           AGE",
    "hello   http://hello.default.localhost:8080   hello-00001   False   RevisionFailed   60s",
  ]);
});

test("what an object does not say is a dash, and a pod on its way out says so", () => {
  const pod = object({ metadata: { ...object({}).metadata, deletionTimestamp: "2026-01-01T00:00:30Z" } });
  expect(table(PodKind, [pod], { now, withNamespace: true })).toEqual([
    "NAMESPACE   NAME    REVISION   READY   PHASE         IP   AGE",
    "default     hello   -          -       Terminating   -    60s",
  ]);
});

test("an event shows what happened to what, how long ago the last time, and the message last", () => {
  const event = object({
    kind: "Event",
    type: "Normal",
    reason: "ScaleChanged",
    message: "wants 3 pods",
    involvedObject: { kind: "PodAutoscaler", name: "hello-00001" },
    lastTimestamp: "2026-01-01T00:00:50Z",
  });
  expect(table(EventKind, [event], { now, withNamespace: false })).toEqual([
    "TYPE     REASON         OBJECT                      AGE   MESSAGE",
    "Normal   ScaleChanged   podautoscaler/hello-00001   10s   wants 3 pods",
  ]);
});

test("an HPA shows its bounds, the pods there are and those it wants", () => {
  const hpa = object({ spec: { maxReplicas: 6 }, status: { currentReplicas: 1, desiredReplicas: 4 } });
  expect(table(HorizontalPodAutoscalerKind, [hpa], { now, withNamespace: false })).toEqual([
    "NAME    MIN   MAX   PODS   WANTED   AGE",
    "hello   -     6     1      4        60s",
  ]);
});

test.each([
  { created: "2026-01-01T00:00:59Z", text: "1s" },
  { created: "2025-12-31T23:30:00Z", text: "31m" },
  { created: "2025-12-31T12:00:00Z", text: "12h" },
  { created: "2025-12-01T00:00:00Z", text: "31d" },
  { created: "2026-01-01T00:02:00Z", text: "0s" },
])("made at $created is $text old", ({ created, text }) => {
  expect(age(created, now)).toBe(text);
});

import { type Endpoint, endpoint, type MonoMs } from "@rouse/shared";
import { expect, test } from "vitest";
import { PodReadiness } from "./pod-readiness.ts";

const a = endpoint({ ip: "10.0.0.1", port: 8012 });
const b = endpoint({ ip: "10.0.0.2", port: 8012 });
const at = (ms: number): MonoMs => ms as MonoMs;
const says = (ready: Endpoint[], notReady: Endpoint[] = []) => ({
  ready: new Set(ready),
  notReady: new Set(notReady),
});

test("what the watch calls ready is usable", () => {
  const pods = new PodReadiness();
  pods.update(says([a], [b]));
  expect([pods.usable(), pods.unknown()]).toEqual([[a], [b]]);
});

test("a push makes a pod usable that the watch has not seen, and survives a watch that still has not", () => {
  const pods = new PodReadiness();
  pods.vouch(a, at(0));
  pods.update(says([b]));
  expect(pods.usable()).toEqual([b, a]);
  pods.update(says([b], [a]));
  expect([pods.usable(), pods.unknown()]).toEqual([[b, a], []]);
});

test("A-58: once the watch has called it ready, the watch alone decides", () => {
  const pods = new PodReadiness();
  pods.vouch(a, at(0));
  pods.update(says([a]));
  pods.update(says([], [a]));
  expect([pods.usable(), pods.unknown()]).toEqual([[], [a]]);
});

test("gone from the watch is gone", () => {
  const pods = new PodReadiness();
  pods.vouch(a, at(0));
  pods.update(says([], [a]));
  pods.update(says([]));
  expect(pods.usable()).toEqual([]);
});

test("a push that no watch ever confirms is dropped after three seconds", () => {
  const pods = new PodReadiness();
  pods.vouch(a, at(0));
  expect([pods.expire(at(2_999)), pods.usable()]).toEqual([false, [a]]);
  expect([pods.expire(at(3_000)), pods.usable()]).toEqual([true, []]);
});

test("a push the watch has listed does not grow old", () => {
  const pods = new PodReadiness();
  pods.update(says([], [a]));
  pods.vouch(a, at(0));
  expect([pods.expire(at(60_000)), pods.usable()]).toEqual([false, [a]]);
});

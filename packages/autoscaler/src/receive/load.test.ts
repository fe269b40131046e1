import type { MonoMs, Stat, WallMs } from "@rouse/shared";
import { expect, test } from "vitest";
import { isRecordable, loadOf, takenAt } from "./load.ts";

const stat: Stat = {
  podName: "activator",
  averageConcurrentRequests: 20,
  averageProxiedConcurrentRequests: 10,
  requestCount: 30,
  proxiedRequestCount: 20,
  processUptime: 0,
  timestamp: 0,
};

test("what came through an activator is not counted twice (V-42, S-31)", () => {
  expect(loadOf(stat)).toEqual({ concurrency: 10, rps: 10 });
});

test("a stat without anything in it is not recorded, nor one that is no number (S-28)", () => {
  const nothing: Stat = {
    podName: "",
    averageConcurrentRequests: 0,
    averageProxiedConcurrentRequests: 0,
    requestCount: 0,
    proxiedRequestCount: 0,
    processUptime: 0,
    timestamp: 0,
  };
  expect(isRecordable(nothing)).toBe(false);
  for (const over of [{ podName: "p" }, { requestCount: 1 }, { timestamp: 1 }, { processUptime: 2 }]) {
    expect(isRecordable({ ...nothing, ...over })).toBe(true);
  }
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
    expect(isRecordable({ ...stat, averageConcurrentRequests: bad })).toBe(false);
    expect(isRecordable({ ...stat, proxiedRequestCount: bad })).toBe(false);
  }
});

test.each([
  { timestamp: 0, want: 70_400, why: "unstamped is now" },
  { timestamp: 1_000, want: 70_400, why: "this very second" },
  { timestamp: 997, want: 67_400, why: "three seconds old" },
  { timestamp: 5_000, want: 70_400, why: "the future is a wrong clock" },
])("a stamp of $timestamp: $why (S-38)", ({ timestamp, want }) => {
  const now = { mono: 70_400 as MonoMs, wall: 1_000_900 as WallMs };
  expect(takenAt({ ...stat, timestamp }, now)).toBe(want);
});

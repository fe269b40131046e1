import type { MonoMs } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { RequestStats } from "./request-stats.ts";
import { statOf } from "./stat-report.ts";

const at = (seconds: number): MonoMs => (seconds * 1_000) as MonoMs;
const identity = { podName: "pod-1", uptimeMs: 12_500 };

function example(): RequestStats {
  const stats = new RequestStats(at(0));
  stats.arrived(at(0.2), false);
  stats.arrived(at(0.4), true);
  stats.departed(at(0.7), false);
  stats.departed(at(0.9), true);
  return stats;
}

describe("V-2", () => {
  test("Q-122: a plain and a proxied request within one second", () => {
    const stat = statOf(example().report(at(1)), identity);
    expect(stat.averageConcurrentRequests).toBeCloseTo(1);
    expect(stat.averageProxiedConcurrentRequests).toBeCloseTo(0.5);
    expect([stat.requestCount, stat.proxiedRequestCount]).toEqual([2, 1]);
  });

  test("Q-125: a late tick widens the average and loses no request", () => {
    const stat = statOf(example().report(at(1.05)), identity);
    expect(stat.averageConcurrentRequests).toBeCloseTo(1 / 1.05);
    expect(stat.averageProxiedConcurrentRequests).toBeCloseTo(0.5 / 1.05);
    expect([stat.requestCount, stat.proxiedRequestCount]).toEqual([2, 1]);
  });

  test("a long request counts in every period it runs in, and arrives in one", () => {
    const stats = new RequestStats(at(0));
    stats.report(at(1));
    stats.arrived(at(1.6), false);
    const first = stats.report(at(2));
    const second = stats.report(at(3));
    stats.departed(at(3.2), false);
    const third = stats.report(at(4));
    expect(first.averageConcurrency).toBeCloseTo(0.4);
    expect(second.averageConcurrency).toBeCloseTo(1);
    expect(third.averageConcurrency).toBeCloseTo(0.2);
    expect([first, second, third].map((report) => report.requestCount)).toEqual([1, 0, 0]);
  });

  test.each([
    { periodMs: 10_000, want: [3.9, 1.5] },
    { periodMs: 2_000, want: [19.5, 7.5] },
  ])(
    "Q-126: counts 39 and 15 over $periodMs ms are per second, averages as they are",
    ({ periodMs, want }) => {
      const report = {
        averageConcurrency: 3,
        averageProxiedConcurrency: 2,
        requestCount: 39,
        proxiedRequestCount: 15,
        elapsedMs: periodMs,
      };
      const stat = statOf(report, identity);
      expect([stat.requestCount, stat.proxiedRequestCount]).toEqual(want);
      expect([stat.averageConcurrentRequests, stat.averageProxiedConcurrentRequests]).toEqual([3, 2]);
    },
  );
});

test("Q-124: time that steps backwards is ignored", () => {
  const stats = new RequestStats(at(5));
  stats.arrived(at(4), false);
  expect(stats.report(at(6)).averageConcurrency).toBe(1);
});

test("an empty period of no length reports zeroes", () => {
  const stat = statOf(new RequestStats(at(0)).report(at(0)), identity);
  expect(stat).toEqual({
    podName: "pod-1",
    averageConcurrentRequests: 0,
    averageProxiedConcurrentRequests: 0,
    requestCount: 0,
    proxiedRequestCount: 0,
    processUptime: 12.5,
    timestamp: 0,
  });
});

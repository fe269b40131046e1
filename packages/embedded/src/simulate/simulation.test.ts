import { defaultAutoscalerConfig } from "@rouse/autoscaler";
import { SeededRandom } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { type SimulationOptions, type SimulationResult, simulateTrace } from "./simulation.ts";
import { parseTrace } from "./trace.ts";

const config = { ...defaultAutoscalerConfig, isInitialScaleZeroAllowed: true, scaleToZeroGraceMs: 5_000 };

function play(text: string, options: Partial<SimulationOptions> = {}): SimulationResult {
  return simulateTrace(
    parseTrace(text),
    {
      annotations: { "autoscaling.knative.dev/initial-scale": "0", ...options.annotations },
      containerConcurrency: options.containerConcurrency ?? 1,
      config: options.config ?? config,
      startMs: options.startMs ?? 1_000,
      serviceMs: options.serviceMs ?? 100,
    },
    new SeededRandom(1),
  );
}

/** A load that keeps `concurrency` requests in flight at 100 ms each, for so many seconds. */
const steady = (concurrency: number, seconds: number): string => {
  const lines = Array.from({ length: seconds }, (_, second) => `${second},${concurrency * 10}`);
  return ["time,count", ...lines].join("\n");
};

test("one request waits for one start, and the pod goes after window and grace", () => {
  const result = play("0\n");
  expect(result).toMatchObject({ requests: 1, coldStarts: 1, coldRequests: 1, podsStarted: 1, podsMax: 1 });
  expect([...result.waitedMs]).toEqual([1_000]);
  expect(result.durationMs / 1_000).toBeGreaterThan(60);
  expect(result.durationMs / 1_000).toBeLessThan(70);
  expect(result.podSeconds).toBeCloseTo(result.durationMs / 1_000, 0);
});

test("S-81: a steady load gets load by target pods, and every request is served", () => {
  const result = play(steady(12, 200), { containerConcurrency: 10 });
  const late = result.steps.filter(({ atMs }) => atMs > 100_000 && atMs < 190_000);
  expect(new Set(late.map(({ desiredPods }) => desiredPods))).toEqual(new Set([2])); // 12 / (10 × 0.7)
  expect(result.waitedMs).toHaveLength(24_000);
  expect(result.waitedMs[12_000]).toBe(0);
});

test("a minimum keeps pods for ever, and nobody waits", () => {
  const result = play("0\n600\n", { annotations: { "autoscaling.knative.dev/min-scale": "1" } });
  expect(result.coldStarts).toBe(1);
  expect([...result.waitedMs]).toEqual([0, 1_000]); // the first came with the first pod
  expect(result.steps.filter(({ atMs }) => atMs > 2_000).every(({ readyPods }) => readyPods >= 1)).toBe(true);
});

test("a maximum makes requests wait instead", () => {
  const few = play(steady(5, 60), { annotations: { "autoscaling.knative.dev/max-scale": "2" } });
  const many = play(steady(5, 60));
  expect(few.podsMax).toBe(2);
  expect(few.waitedMs.at(-1)).toBeGreaterThan(10 * (many.waitedMs.at(-1) ?? 0));
  expect(few.waitedMs).toHaveLength(3_000);
});

describe("whatever the trace", () => {
  test.each([1, 2, 3, 4, 5])(
    "every request is served once, no pod has more than its limit, pods go: %i",
    (seed) => {
      const random = new SeededRandom(seed);
      const lines = Array.from(
        { length: 60 },
        (_, minute) => `${minute * 60},${random.chance(0.4) ? 0 : random.integer(0, 400)}`,
      );
      const result = play(`time,count\n${lines.join("\n")}`, { containerConcurrency: random.integer(0, 5) });
      expect(result.waitedMs).toHaveLength(result.requests);
      expect(result.waitedMs.every((ms) => ms >= 0)).toBe(true);
      expect(result.busyPodSeconds).toBeLessThanOrEqual(result.podSeconds);
      expect(result.steps.at(-1)?.waiting).toBe(0);
    },
  );
});

test("the same seed gives the same run", () => {
  const first = play(steady(3, 90));
  expect(play(steady(3, 90))).toEqual(first);
});

test("a day of the daily wave takes a fraction of the ten seconds it may", () => {
  const lines = Array.from(
    { length: 1_440 },
    (_, minute) => `${minute * 60},${Math.round(60 + 60 * Math.sin(minute / 229))}`,
  );
  const result = play(`time,count\n${lines.join("\n")}`);
  expect(result.requests).toBeGreaterThan(80_000);
  expect(result.durationMs).toBeGreaterThanOrEqual(86_400_000);
});

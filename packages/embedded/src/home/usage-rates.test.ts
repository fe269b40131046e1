import { objectKey } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { UsageRates } from "./usage-rates.ts";

const pod = objectKey({ namespace: "default", name: "hello-1" });

test("CPU is averaged since the question before, memory is what it is now", () => {
  const clock = new VirtualClock();
  const used = { cpuSeconds: 10, memoryBytes: 5_000 };
  const rates = new UsageRates(clock, (key) => (key === pod ? used : undefined));
  expect([...rates.usage([pod])]).toEqual([[pod, { cpuMilli: undefined, memoryBytes: 5_000 }]]);
  clock.advance(15_000);
  used.cpuSeconds = 13;
  used.memoryBytes = 7_000;
  const gone = objectKey({ namespace: "default", name: "gone" });
  expect([...rates.usage([pod, gone])]).toEqual([[pod, { cpuMilli: 200, memoryBytes: 7_000 }]]);
});

test("a process that ended takes its time with it: that is no negative use", () => {
  const clock = new VirtualClock();
  const used = { cpuSeconds: 10, memoryBytes: 1 };
  const rates = new UsageRates(clock, () => used);
  rates.usage([pod]);
  clock.advance(15_000);
  used.cpuSeconds = 2;
  expect(rates.usage([pod]).get(pod)?.cpuMilli).toBe(0);
});

test("pods are forgotten", () => {
  const clock = new VirtualClock();
  const rates = new UsageRates(clock, () => ({ cpuSeconds: 1, memoryBytes: 1 }));
  rates.usage([pod]);
  clock.advance(200_000);
  rates.usage([]);
  clock.advance(1_000);
  expect(rates.usage([pod]).get(pod)?.cpuMilli).toBeUndefined();
});

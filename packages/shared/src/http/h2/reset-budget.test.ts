import { expect, test } from "vitest";
import { VirtualClock } from "../../clock/virtual-clock.ts";
import { ResetBudget } from "./reset-budget.ts";

test("two thousand at once and a hundred a second are allowed, and whatever exceeds that is told once", () => {
  const clock = new VirtualClock();
  let exceeded = 0;
  const budget = new ResetBudget(clock, () => exceeded++);
  for (let count = 0; count < 2_000; count++) budget.spend();
  for (let second = 0; second < 100; second++) {
    clock.advance(1_000);
    for (let count = 0; count < 100; count++) budget.spend();
  }
  expect(exceeded).toBe(0);
  budget.spend();
  budget.spend();
  expect(exceeded).toBe(1);
});

test("what is not used is not saved up beyond the first", () => {
  const clock = new VirtualClock();
  let exceeded = 0;
  const budget = new ResetBudget(clock, () => exceeded++);
  clock.advance(3_600_000);
  for (let count = 0; count <= 2_000; count++) budget.spend();
  expect(exceeded).toBe(1);
});

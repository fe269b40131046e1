import { type ObjectKey, objectKey } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import type { ProbeTarget } from "./activator-probe.ts";
import { Confirmations } from "./confirmations.ts";

const target: ProbeTarget = { namespace: "n", serviceName: "a", port: 80 };
const key = objectKey({ namespace: "n", name: "a" });

function setup(answer: (asked: number) => Promise<boolean>) {
  const clock = new VirtualClock();
  const askedAtMs: number[] = [];
  const over: ObjectKey[] = [];
  const confirmations = new Confirmations({
    clock,
    probe: { isInPath: () => answer(askedAtMs.push(clock.now())) },
    onOver: (of) => over.push(of),
  });
  return { clock, confirmations, askedAtMs, over };
}

test.each([
  { answer: () => Promise.resolve(true), want: true },
  { answer: () => Promise.resolve(false), want: false },
  { answer: () => Promise.reject(new Error("reset")), want: false },
])("an answer is taken as it is, a failure as no (K-71)", async ({ answer, want }) => {
  const { clock, confirmations } = setup(answer);
  expect(await confirmations.ask(target)).toBe(want);
  expect(clock.pendingTimers).toBe(0);
});

test("no answer in time is no (K-74)", async () => {
  const { clock, confirmations } = setup(() => new Promise(() => {}));
  const asked = confirmations.ask(target);
  clock.advance(5_000);
  expect(await asked).toBe(false);
});

test("asks in the background at once, then each second, until confirmed; once per target (S-108, I-12)", async () => {
  const { clock, confirmations, askedAtMs, over } = setup((asked) => Promise.resolve(asked === 4));
  confirmations.askInBackground(key, target);
  confirmations.askInBackground(key, target);
  await clock.advanceAsync(2_500);
  confirmations.askInBackground(key, target);
  expect(over).toEqual([]);
  await clock.advanceAsync(10_000);
  expect(askedAtMs).toEqual([0, 1_000, 2_000, 3_000]);
  expect(over).toEqual([key]);
  expect(clock.pendingTimers).toBe(0);
});

test("gives up after 45 s, and may be asked anew (S-108)", async () => {
  const { clock, confirmations, askedAtMs, over } = setup(() => Promise.resolve(false));
  confirmations.askInBackground(key, target);
  await clock.advanceAsync(60_000);
  expect(askedAtMs.length).toBe(46);
  expect(over).toEqual([key]);
  confirmations.askInBackground(key, target);
  await clock.settle();
  expect(askedAtMs.length).toBe(47);
  confirmations[Symbol.dispose]();
  expect(clock.pendingTimers).toBe(0);
  await clock.advanceAsync(60_000);
  expect(over).toEqual([key]);
});

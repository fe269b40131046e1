import { type ObjectKey, objectKey, objectRef } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import fc from "fast-check";
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

test("whoever asks whenever, and however slow the answers: one asks per target at a time (I-12)", async () => {
  const drawn = fc.array(fc.record({ who: fc.nat(2), gapMs: fc.nat(4_000), answerMs: fc.nat(7_000) }), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(drawn, async (steps) => {
      const clock = new VirtualClock();
      const seen = new Map<string, (number | "over")[]>();
      const note = (name: string, what: number | "over"): void =>
        void seen.set(name, [...(seen.get(name) ?? []), what]);
      let answerMs = 0;
      using confirmations = new Confirmations({
        clock,
        probe: {
          isInPath: ({ serviceName }) => {
            note(serviceName, clock.now());
            return new Promise((resolve) => clock.after(answerMs, () => resolve(false)));
          },
        },
        onOver: (of) => note(objectRef(of).name, "over"),
      });
      for (const step of steps) {
        answerMs = step.answerMs;
        const name = `service-${step.who}`;
        confirmations.askInBackground(objectKey({ namespace: "n", name }), { ...target, serviceName: name });
        await clock.advanceAsync(step.gapMs);
      }
      // One prober leaves a second between its questions; a second one would ask in between.
      for (const events of seen.values()) {
        for (const [index, now] of events.entries()) {
          const before = events[index - 1] ?? "over";
          if (now !== "over" && before !== "over") expect(now - before).toBeGreaterThanOrEqual(1_000);
        }
      }
    }),
    { numRuns: 50 },
  );
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

import type { MonoMs } from "@rouse/shared";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DelayWindow } from "./delay-window.ts";

test("the staircase agrees with looking through everything (S-86)", () => {
  const event = fc.record({ gapMs: fc.nat(9_000), value: fc.nat(20) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(event), (seconds, events) => {
      const window = new DelayWindow(seconds * 1_000);
      const all: { slot: number; value: number }[] = [];
      let now = 0;
      for (const { gapMs, value } of events) {
        now += gapMs;
        const slot = Math.floor(now / 2_000);
        all.push({ slot, value });
        const live = all.filter((entry) => slot - entry.slot < Math.ceil(seconds / 2));
        expect(window.record(value, now as MonoMs)).toBe(Math.max(...live.map((entry) => entry.value)));
      }
    }),
  );
});

import { resolve } from "node:path";
import { expect, test } from "vitest";
import { soak } from "./soak.ts";

test("Q-47: a second at 1,000 requests a second with random aborts: never two at once, and most are served", async () => {
  const root = resolve(import.meta.dirname, "../../..");
  const seen = await soak({ root, seconds: 1, perSecond: 1_000, progress: () => {} });
  expect(seen.overlaps).toBe(0);
  expect(seen.sent).toBeGreaterThan(100);
  expect(seen.answered + seen.turnedAway + seen.left).toBeGreaterThan(seen.sent / 2);
  expect(seen.answered).toBeGreaterThan(0);
}, 60_000);

test("with two places the detector sees them used", async () => {
  const root = resolve(import.meta.dirname, "../../..");
  const seen = await soak({ root, seconds: 1, perSecond: 1_000, progress: () => {}, places: 2 });
  expect(seen.overlaps).toBeGreaterThan(0);
}, 60_000);

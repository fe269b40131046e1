import { expect, test } from "vitest";
import { idleRevisions } from "./idle-revisions.ts";

const MIB = 1_048_576;

test("a thousand idle revisions hold less than a tenth of 100 MiB, and nothing of them runs", async () => {
  const { bytes, awake, timers } = await idleRevisions(1_000);
  expect(bytes).toBeLessThan(10 * MIB);
  expect([awake, timers]).toEqual([0, 1]);
});

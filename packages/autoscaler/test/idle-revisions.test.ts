import { expect, test } from "vitest";
import { idleRevisions } from "./idle-revisions.ts";

const MIB = 1_048_576;
const COUNT = 400;

test("idle revisions hold less than 100 MiB by the ten thousand, and nothing of them runs", async () => {
  const { bytes, awake, timers } = await idleRevisions(COUNT);
  expect((bytes / COUNT) * 10_000).toBeLessThan(100 * MIB);
  expect([awake, timers]).toEqual([0, 1]);
}, 60_000);

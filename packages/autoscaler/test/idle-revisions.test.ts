import { expect, test } from "vitest";
import { idleRevisions } from "./idle-revisions.ts";

const MIB = 1_048_576;
const FEW = 100;
const MANY = 500;

test("idle revisions hold less than 100 MiB by the ten thousand, and nothing of them runs", async () => {
  await idleRevisions(FEW); // compiles what there is to compile, which is no revision's
  const few = await idleRevisions(FEW);
  const many = await idleRevisions(MANY);
  const bytesEach = (many.bytes - few.bytes) / (MANY - FEW);
  expect(few.bytes + bytesEach * (10_000 - FEW)).toBeLessThan(100 * MIB); // what they share counts once
  expect([many.awake, many.timers]).toEqual([0, 1]);
}, 60_000);

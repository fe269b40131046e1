import { expect, test } from "vitest";
import { HeldBytes } from "./held-bytes.ts";

const revision = () => ({ heldBytes: 0 });

test("a revision may hold so much and no more, and what is given back is free again", () => {
  const bytes = new HeldBytes({ perRevision: 10, perProcess: 1_000 });
  const one = revision();
  expect([bytes.take(one, 10), bytes.take(one, 1)]).toEqual([true, false]);
  bytes.giveBack(one, 10);
  expect([bytes.take(one, 5), bytes.total, one.heldBytes]).toEqual([true, 5, 5]);
});

test("a few with long queues do not turn away the first request of the next", () => {
  const bytes = new HeldBytes({ perRevision: 64, perProcess: 256 });
  const greedy = Array.from({ length: 8 }, revision);
  for (let round = 0; round < 64; round++) for (const each of greedy) bytes.take(each, 1);
  const late = revision();
  expect(bytes.total).toBeLessThan(256);
  for (let request = 0; request < 10; request++) expect(bytes.take(late, 1)).toBe(true);
  expect(bytes.total).toBeLessThanOrEqual(256);
});

test("a single one may have all a revision may have", () => {
  const bytes = new HeldBytes({ perRevision: 64, perProcess: 256 });
  const one = revision();
  for (let request = 0; request < 64; request++) expect(bytes.take(one, 1)).toBe(true);
});

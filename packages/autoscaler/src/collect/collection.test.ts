import type { MonoMs } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { Collection, type CollectionSpec } from "./collection.ts";

const at = (seconds: number): MonoMs => (seconds * 1_000) as MonoMs;
const spec: CollectionSpec = {
  stableSeconds: 60,
  panicSeconds: 6,
  aggregation: "linear",
  scrapeTarget: "hello-private",
};
const isFailing = false;

test("each metric has a stable and a panic average (S-55)", () => {
  const collection = new Collection(spec);
  for (let second = 0; second < 10; second++) {
    collection.record({ concurrency: second < 4 ? 0 : 10, rps: 2 }, at(second));
  }
  expect(collection.averages("concurrency", at(9), { isFailing, isReported: false })).toEqual({
    stable: 6,
    panic: 10,
  });
  expect(collection.averages("rps", at(9), { isFailing, isReported: false })).toEqual({
    stable: 2,
    panic: 2,
  });
});

describe("silence (S-64)", () => {
  test("is no data where pods are scraped, and a load of 0 where activators see everything", () => {
    expect(new Collection(spec).averages("rps", at(0), { isFailing, isReported: false })).toBeUndefined();
    const unscraped = new Collection({ ...spec, scrapeTarget: "" });
    expect(unscraped.averages("rps", at(0), { isFailing, isReported: true })).toEqual({
      stable: 0,
      panic: 0,
    });
    unscraped.record({ concurrency: 5, rps: 5 }, at(0));
    expect(unscraped.averages("rps", at(100), { isFailing, isReported: true })).toEqual({
      stable: 0,
      panic: 0,
    });
  });

  test("of a whole window is no data while pods do not answer", () => {
    const collection = new Collection(spec);
    collection.record({ concurrency: 5, rps: 5 }, at(0));
    expect(collection.averages("rps", at(60), { isFailing, isReported: false })).toEqual({
      stable: 0,
      panic: 0,
    });
    expect(collection.averages("rps", at(60), { isFailing: true, isReported: false })).toBeUndefined();
    expect(collection.averages("rps", at(59), { isFailing: true, isReported: false })).toMatchObject({
      stable: 5,
    });
    expect(collection.averages("rps", at(61), { isFailing, isReported: false })).toBeUndefined();
  });
});

test("a new window length keeps the history, a new algorithm begins anew (S-61, S-63)", () => {
  const collection = new Collection(spec);
  collection.record({ concurrency: 8, rps: 8 }, at(0));
  collection.respec({ ...spec, stableSeconds: 30, panicSeconds: 3 }, at(0));
  expect(collection.averages("rps", at(0), { isFailing, isReported: false })).toEqual({
    stable: 8,
    panic: 8,
  });
  expect(collection.isEmpty(at(31))).toBe(true);
  collection.respec({ ...spec, aggregation: "weighted-exponential" }, at(0));
  expect(collection.averages("rps", at(0), { isFailing, isReported: false })).toBeUndefined();
  collection.record({ concurrency: 8, rps: 8 }, at(0));
  expect(collection.averages("rps", at(0), { isFailing, isReported: false })?.stable).toBeCloseTo(8 * 0.2, 9);
});

test("only windows in which everything is stale are given back", () => {
  const collection = new Collection(spec);
  collection.record({ concurrency: 5, rps: 5 }, at(0));
  collection.release(at(60));
  expect(collection.isEmpty(at(60))).toBe(false);
  collection.release(at(61));
  expect(collection.isEmpty(at(0))).toBe(true);
});

test("a panic window of one second holds until the next report is due (S-56, S-59)", () => {
  const collection = new Collection({ ...spec, panicSeconds: 1 });
  collection.record({ concurrency: 8, rps: 0 }, at(10));
  const panicAt = (second: number) =>
    collection.averages("concurrency", at(second), { isFailing: false, isReported: false })?.panic;
  expect([panicAt(10), panicAt(11), panicAt(12)]).toEqual([8, 8, 0]);
});

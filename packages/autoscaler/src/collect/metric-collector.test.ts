import type { Stat } from "@rouse/shared";
import { expect, test } from "vitest";
import { ScrapeFailure } from "../scrape/scrape-failure.ts";
import { collecting, revision, saying, spec } from "./testing/collecting.ts";

test("S-42: while pods are still asked nobody asks again, and what they say counts from when the last one has answered", async () => {
  const answer = Promise.withResolvers<Stat>();
  const { collector, calls, clock } = collecting("disabled", () => answer.promise);
  const round = collector.scrape(revision);
  clock.advance(3_000);
  await collector.scrape(revision);
  expect(calls.direct).toBe(4);
  answer.resolve(saying("a"));
  await round;
  expect(collector.averages(revision, "concurrency")?.stable).toBe(4);
  clock.advance(60_000); // a window after the end, more than one after the beginning
  expect(collector.isEmpty(revision)).toBe(false);
  clock.advance(1_000);
  expect(collector.isEmpty(revision)).toBe(true);
  await collector.scrape(revision);
  expect(calls.direct).toBe(8);
});

test("S-39, S-64, S-67: where nobody collects a stat is dropped and nothing is known; a Metric that goes ends it", () => {
  const { collector } = collecting("disabled", saying);
  expect(collector.record(revision, saying("activator"))).toBe(true);
  expect(collector.averages(revision, "concurrency")?.stable).toBe(1);
  collector.remove(revision);
  expect(collector.record(revision, saying("activator"))).toBe(false);
  expect(collector.averages(revision, "concurrency")).toBeUndefined();
  collector.ensure(revision, spec);
  expect(collector.isEmpty(revision)).toBe(true);
});

test("S-67: it says why nothing is collected, and says so again when that is for another reason", async () => {
  let isBroken = true;
  const { collector, health } = collecting("enabled", saying, spec.scrapeTarget, () =>
    isBroken ? new ScrapeFailure("other", "refused") : saying("always-the-same"),
  );
  await collector.scrape(revision);
  await collector.scrape(revision);
  isBroken = false;
  await collector.scrape(revision);
  expect(health).toMatchObject([
    { kind: "failing", reason: "CollectionFailed" },
    { kind: "failing", reason: "DidNotReceiveStat" },
  ]);
});

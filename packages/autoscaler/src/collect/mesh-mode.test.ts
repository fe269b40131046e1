import { describe, expect, test } from "vitest";
import { ScrapeFailure } from "../scrape/scrape-failure.ts";
import { collecting, revision, saying, spec } from "./testing/collecting.ts";

const mesh = () => new ScrapeFailure("mesh", "status 503");

describe("S-51, V-34: how load is asked for where a mesh may stand between", () => {
  test("auto falls back to the Service once every pod answers as a mesh would, and stays there", async () => {
    const { collector, calls } = collecting("auto", mesh);
    await collector.scrape(revision);
    expect(calls).toEqual({ direct: 4, service: 4 });
    expect(collector.averages(revision, "concurrency")?.stable).toBe(4);
    await collector.scrape(revision);
    expect(calls).toEqual({ direct: 4, service: 8 });
  });

  test("S-53: a look at the Metric lets pods be asked again", async () => {
    const { collector, calls } = collecting("auto", mesh);
    await collector.scrape(revision);
    collector.ensure(revision, spec);
    await collector.scrape(revision);
    expect(calls.direct).toBe(8);
  });

  test("disabled never falls back", async () => {
    const { collector, calls, health } = collecting("disabled", mesh);
    await collector.scrape(revision);
    expect(calls).toEqual({ direct: 4, service: 0 });
    expect(health).toMatchObject([{ kind: "failing", reason: "CollectionFailed" }]);
  });

  test("one failure of another kind, or one answer, and there is no fallback", async () => {
    const other = collecting("auto", (pod) => (pod === "c" ? new ScrapeFailure("other", "refused") : mesh()));
    await other.collector.scrape(revision);
    expect(other.calls.service).toBe(0);
    const partial = collecting("auto", (pod) => (pod === "c" ? saying("c") : mesh()));
    await partial.collector.scrape(revision);
    expect(partial.calls.service).toBe(0);
    expect(partial.collector.averages(revision, "concurrency")).toBeUndefined();
  });

  test("enabled asks the Service alone", async () => {
    const { collector, calls } = collecting("enabled", saying);
    await collector.scrape(revision);
    expect(calls).toEqual({ direct: 0, service: 4 });
  });
});

describe("K-91: a revision only activators report", () => {
  test("is not scraped while there is one, and silence is no load", async () => {
    const { collector, calls } = collecting("auto", saying, "");
    await collector.scrape(revision);
    expect(calls.direct).toBe(0);
    expect(collector.averages(revision, "concurrency")).toEqual({ stable: 0, panic: 0 });
  });

  test("is scraped while there is none, and silence says nothing", async () => {
    const { collector, calls, activators } = collecting("auto", (pod) => saying(pod, 5), "");
    activators.ready = 0;
    expect(collector.averages(revision, "concurrency")).toBeUndefined();
    await collector.scrape(revision);
    expect(calls.direct).toBe(4);
    expect(collector.averages(revision, "concurrency")?.stable).toBe(20);
  });
});

test("what each pod had in flight is remembered as long as it is ready", async () => {
  const { collector } = collecting("auto", (pod) => saying(pod, pod === "b" ? 7 : 1));
  await collector.scrape(revision);
  expect(collector.inFlight(revision, "b")).toBe(7);
  expect(collector.inFlight(revision, "gone")).toBeUndefined();
});

import fc from "fast-check";
import { Histogram as PromHistogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { exposition } from "./exposition.ts";
import type { Family } from "./family.ts";
import { Histogram } from "./histogram.ts";
import type { Labels } from "./labels.ts";

/** Lines in any order, with labels in any order. */
function lines(text: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const found = /^(\w+)(?:\{(.*)\})? (.*)$/s.exec(line);
      const labels = (found?.[2] ?? "").match(/\w+="(?:[^"\\]|\\.)*"/g) ?? [];
      return `${found?.[1]}{${[...labels].sort().join(",")}} ${found?.[3]}`;
    })
    .sort();
}

test("Q-133: the text is what prom-client writes of the same observations, whatever the labels", async () => {
  const bounds = [0.005, 0.1, 1, 2.5];
  const observation = fc.record({
    code: fc.constantFrom("200", "502"),
    host: fc.string({ maxLength: 8 }),
    value: fc.double({ min: 0, max: 5, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(observation, { minLength: 1 }), async (observations) => {
      const registry = new Registry();
      const theirs = new PromHistogram({
        name: "a_seconds",
        help: "h",
        buckets: bounds,
        labelNames: ["code", "host_name"],
        registers: [registry],
      });
      const ours = new Histogram(bounds);
      for (const { code, host, value } of observations) {
        theirs.observe({ code, host_name: host }, value);
        const labels: Labels = [
          ["code", code],
          ["host.name", host],
        ];
        ours.observe(
          ours.series(`${code}\n${host}`, () => labels),
          value,
        );
      }
      const family: Family = {
        kind: "histogram",
        histogram: ours,
        otelName: "a",
        prometheusName: "a_seconds",
        help: "h",
        unit: "s",
        scope: "",
      };
      expect(lines(exposition([family]))).toEqual(lines(await registry.metrics()));
    }),
    { numRuns: 50 },
  );
});

test("a family has as many sets of labels as it may, and one for all the others", () => {
  const histogram = new Histogram([1]);
  for (let index = 0; index < 3_000; index++) {
    histogram.observe(
      histogram.series(String(index), () => [["index", index]]),
      0.5,
    );
  }
  const all = [...histogram.all()];
  expect(all.length).toBe(2_001);
  expect(all.at(-1)).toMatchObject({ labels: [["otel.metric.overflow", true]], count: 1_000 });
});

test("what has the same labels is one series, under whichever keys, and keys have an end as well", () => {
  const histogram = new Histogram([1]);
  for (let index = 0; index < 3_000; index++) {
    histogram.observe(
      histogram.series(String(index), () => [["isEven", index % 2 === 0]]),
      0.5,
    );
  }
  expect([...histogram.all()]).toMatchObject([
    { labels: [["isEven", true]], count: 1_000 },
    { labels: [["isEven", false]], count: 1_000 },
    { labels: [["otel.metric.overflow", true]], count: 1_000 },
  ]);
});

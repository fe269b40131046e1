import { expect, test } from "vitest";
import { gaugesText, histogramText } from "./exposition.ts";
import { ScrapeDurations } from "./scrape-durations.ts";

test("S-125: gauges are grouped by name, and labels are escaped", () => {
  const attributes = { "kn.revision.name": 'a"b\\c' };
  expect(
    gaugesText([
      { name: "kn.revision.pods.desired", attributes, value: 2 },
      { name: "kn.revision.panic.mode", attributes, value: 0 },
      { name: "kn.revision.pods.desired", attributes: { "kn.revision.name": "z" }, value: 3 },
    ]),
  ).toBe(`# TYPE kn_revision_pods_desired gauge
kn_revision_pods_desired{kn_revision_name="a\\"b\\\\c",otel_scope_name="knative.dev/serving/pkg/autoscaler"} 2
kn_revision_pods_desired{kn_revision_name="z",otel_scope_name="knative.dev/serving/pkg/autoscaler"} 3
# TYPE kn_revision_panic_mode gauge
kn_revision_panic_mode{kn_revision_name="a\\"b\\\\c",otel_scope_name="knative.dev/serving/pkg/autoscaler"} 0
`);
});

test("S-128: durations of scrapes fall into the buckets of the contract, without a revision", () => {
  const durations = new ScrapeDurations();
  for (const seconds of [0.001, 0.005, 0.02, 11]) durations.observe(seconds);
  const text = histogramText("kn.autoscaler.scrape.duration", durations.sample());
  const scope = 'otel_scope_name="knative.dev/serving/pkg/autoscaler"';
  expect(text).toContain(`kn_autoscaler_scrape_duration_seconds_bucket{le="0.005",${scope}} 2\n`);
  expect(text).toContain(`kn_autoscaler_scrape_duration_seconds_bucket{le="0.025",${scope}} 3\n`);
  expect(text).toContain(`kn_autoscaler_scrape_duration_seconds_bucket{le="10",${scope}} 3\n`);
  expect(text).toContain(`kn_autoscaler_scrape_duration_seconds_bucket{le="+Inf",${scope}} 4\n`);
  expect(text).toContain(`kn_autoscaler_scrape_duration_seconds_count{${scope}} 4\n`);
  expect(text.match(/_bucket/g)?.length).toBe(15);
});

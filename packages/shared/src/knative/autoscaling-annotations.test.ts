import { describe, expect, test } from "vitest";
import { validateAutoscalingAnnotations } from "./autoscaling-annotations.ts";
import { fieldErrorText } from "./field-error.ts";
import { autoscaling } from "./names.ts";

const PREFIX = "autoscaling.knative.dev/";
const limits = { allowZeroInitialScale: false, maxScaleLimit: 0, defaultClass: autoscaling.kpaClass };

function problems(short: Readonly<Record<string, string>>, more: Partial<typeof limits> = {}): string {
  const annotations = Object.fromEntries(
    Object.entries(short).map(([key, value]) => [`${PREFIX}${key}`, value]),
  );
  return fieldErrorText(validateAutoscalingAnnotations(annotations, { ...limits, ...more })).replaceAll(
    PREFIX,
    "",
  );
}

describe("autoscaling annotations (V-48, S-9..S-13)", () => {
  test.each<{ given: Record<string, string>; want: string }>([
    { given: { "min-scale": "-1" }, want: "expected 0 <= -1 <= 2147483647: min-scale" },
    { given: { "max-scale": "2147483648" }, want: "expected 0 <= 2147483648 <= 2147483647: max-scale" },
    { given: { "min-scale": "foo" }, want: "invalid value: foo: min-scale" },
    {
      given: { "min-scale": "5", "max-scale": "2" },
      want: "max-scale=2 is less than min-scale=5: max-scale, min-scale",
    },
    {
      given: { minScale: "5", maxScale: "2" },
      want: "max-scale=2 is less than min-scale=5: max-scale, min-scale",
    },
    {
      given: { "panic-threshold-percentage": "109" },
      want: "expected 110 <= 109 <= 1000: panic-threshold-percentage",
    },
    { given: { target: "0" }, want: "target 0 should be at least 0.01: target" },
    { given: { target: "lots" }, want: "invalid value: lots: target" },
    { given: { "target-burst-capacity": "-11" }, want: "invalid value: -11: target-burst-capacity" },
    {
      given: { "target-utilization-percentage": "101" },
      want: "expected 1 <= 101 <= 100: target-utilization-percentage",
    },
    { given: { window: "1s" }, want: "expected 6s <= 1s <= 1h0m0s: window" },
    { given: { window: "365h" }, want: "expected 6s <= 365h <= 1h0m0s: window" },
    { given: { window: "1m9s82ms" }, want: "must be specified with at most second precision: window" },
    { given: { window: "soon" }, want: "invalid value: soon: window" },
    {
      given: { "scale-to-zero-pod-retention-period": "311m" },
      want: "expected 0s <= 311m <= 1h0m0s: scale-to-zero-pod-retention-period",
    },
    {
      given: { "scale-down-delay": "42.5s" },
      want: "must be specified with at most second precision: scale-down-delay",
    },
    { given: { metric: "cpu" }, want: "invalid value: cpu: metric" },
    { given: { metric: "cpu", class: autoscaling.kpaClass }, want: "invalid value: cpu: metric" },
    { given: { metric: "", class: autoscaling.hpaClass }, want: "invalid value: : metric" },
    { given: { class: "other.knative.dev" }, want: "invalid value: other.knative.dev: class" },
    { given: { "initial-scale": "0" }, want: "invalid value: 0: initial-scale=0 not allowed by cluster" },
    { given: { initialScale: "-1" }, want: "invalid value: -1: initialScale must be greater than 0" },
    {
      given: { "metric-aggregation-algorithm": "random-selection", class: autoscaling.kpaClass },
      want: "invalid value: random-selection: metric-aggregation-algorithm",
    },
    { given: { "activation-scale": "x" }, want: "invalid value: x: activation-scale" },
    {
      given: { "activation-scale": "1", "min-scale": "3" },
      want: "min-scale=3 is greater than activation-scale=1: activation-scale",
    },
    {
      given: { "activation-scale": "5", "max-scale": "3" },
      want: "max-scale=3 is less than activation-scale=5: activation-scale",
    },
    { given: { "activation-scale": "1" }, want: "activation-scale=1 must be at least 2: activation-scale" },
  ])("$given: $want", ({ given, want }) => {
    expect(problems(given)).toBe(want);
  });

  test.each<Record<string, string>>([
    {},
    { "min-scale": "1", "max-scale": "0" },
    { "min-scale": "+2", "max-scale": "2" },
    { target: "0.01", "target-burst-capacity": "-1", "target-utilization-percentage": "70.5" },
    { window: "6s", "scale-down-delay": "0s", "scale-to-zero-pod-retention-period": "1m9s82ms" },
    { metric: "rps", class: autoscaling.kpaClass, "metric-aggregation-algorithm": "weighted-exponential" },
    { metric: "anything", class: "my.own.scaler", "metric-aggregation-algorithm": "random-selection" },
    { "metric-aggregation-algorithm": "random-selection" },
    { metric: "memory", class: autoscaling.hpaClass },
    { "activation-scale": "2", "min-scale": "1", "max-scale": "5" },
    { "initial-scale": "3" },
    { "panic-window-percentage": "10", "panic-threshold-percentage": "200" },
  ])("%j is well", (given) => {
    expect(problems(given)).toBe("");
  });

  test("an initial scale of 0 is well where the cluster allows it", () => {
    expect(problems({ "initial-scale": "0" }, { allowZeroInitialScale: true })).toBe("");
  });

  test("the cluster's limit bounds a max-scale that is there (S-11)", () => {
    expect(problems({ "max-scale": "11" }, { maxScaleLimit: 10 })).toBe("expected 1 <= 11 <= 10: max-scale");
    expect(problems({ "max-scale": "0" }, { maxScaleLimit: 10 })).toBe(
      "max-scale=0 (unlimited), must be less than 10: max-scale",
    );
    expect(problems({}, { maxScaleLimit: 10 })).toBe("");
  });

  test("says which spelling was written, and reads kebab-case where both are there (S-10)", () => {
    expect(problems({ maxScale: "x" })).toBe("invalid value: x: maxScale");
    expect(problems({ maxScale: "x", "max-scale": "3" })).toBe("");
  });

  test("errors that say the same are one, with their keys sorted (S-9)", () => {
    expect(problems({ "min-scale": "bar", "max-scale": "bar", target: "no" })).toBe(
      "invalid value: bar: max-scale, min-scale\ninvalid value: no: target",
    );
  });
});

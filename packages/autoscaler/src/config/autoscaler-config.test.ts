import { describe, expect, test } from "vitest";
import { defaultAutoscalerConfig, parseAutoscalerConfig } from "./autoscaler-config.ts";
import { defaultDeploymentConfig, parseDeploymentConfig } from "./deployment-config.ts";
import { classOf, revisionSettings } from "./revision-settings.ts";

describe("config-autoscaler", () => {
  test("an empty map is the defaults, and unknown keys are ignored (S-4)", () => {
    const data = { _example: "stable-window: 1s", "tick-interval": "2s", "panic-window": "6s" };
    expect(parseAutoscalerConfig(data)).toEqual({
      kind: "valid",
      config: defaultAutoscalerConfig,
      ignored: ["tick-interval", "panic-window"],
    });
  });

  test("every key is read, in its unit (S-4)", () => {
    const parsed = parseAutoscalerConfig({
      "pod-autoscaler-class": "other.example.com",
      "enable-scale-to-zero": "FALSE",
      "allow-zero-initial-scale": "t",
      "initial-scale": "0",
      "min-scale": "2",
      "max-scale": "9",
      "max-scale-limit": "10",
      "max-scale-up-rate": "1.5",
      "max-scale-down-rate": "3",
      "container-concurrency-target-percentage": "55",
      "container-concurrency-target-default": "50",
      "requests-per-second-target-default": "10.5",
      "target-burst-capacity": "-1",
      "stable-window": "1m30s",
      "panic-window-percentage": "20",
      "panic-threshold-percentage": "150",
      "activator-capacity": "200",
      "scale-to-zero-grace-period": "500ms",
      "scale-to-zero-pod-retention-period": "0",
      "scale-down-delay": "5m",
    });
    expect(parsed).toEqual({
      kind: "valid",
      ignored: [],
      config: {
        podAutoscalerClass: "other.example.com",
        isScaleToZeroEnabled: false,
        isInitialScaleZeroAllowed: true,
        initialScale: 0,
        minScale: 2,
        maxScale: 9,
        maxScaleLimit: 10,
        maxScaleUpRate: 1.5,
        maxScaleDownRate: 3,
        concurrencyTargetFraction: 0.55,
        concurrencyTargetDefault: 50,
        rpsTargetDefault: 10.5,
        targetBurstCapacity: -1,
        stableWindowMs: 90_000,
        panicWindowPercentage: 20,
        panicThresholdPercentage: 150,
        activatorCapacity: 200,
        scaleToZeroGraceMs: 500,
        podRetentionMs: 0,
        scaleDownDelayMs: 300_000,
      },
    });
  });

  test.each([
    { text: "0.71", want: 0.71 },
    { text: "55", want: 0.55 },
    { text: "1", want: 1 },
    { text: "100", want: 1 },
    { text: "142.4", want: undefined },
    { text: "-42", want: undefined },
    { text: "0", want: undefined },
  ])("target percentage $text is the fraction $want (S-8)", ({ text, want }) => {
    const parsed = parseAutoscalerConfig({ "container-concurrency-target-percentage": text });
    expect(parsed.kind === "valid" ? parsed.config.concurrencyTargetFraction : undefined).toBe(want);
  });

  test.each([
    ["initial-scale", "0"],
    ["initial-scale", "-1"],
    ["min-scale", "2147483648"],
    ["min-scale", "1.5"],
    ["max-scale", "-3"],
    ["max-scale-up-rate", "1.0"],
    ["max-scale-down-rate", "0.5"],
    ["enable-scale-to-zero", "yes"],
    ["container-concurrency-target-default", "0.001"],
    ["requests-per-second-target-default", "0"],
    ["target-burst-capacity", "-2"],
    ["target-burst-capacity", "0x10"],
    ["stable-window", "5s"],
    ["stable-window", "2h"],
    ["stable-window", "6500ms"],
    ["stable-window", "60"],
    ["panic-window-percentage", "0.5"],
    ["panic-window-percentage", "101"],
    ["activator-capacity", "0"],
    ["scale-to-zero-grace-period", "0s"],
    ["scale-to-zero-pod-retention-period", "-1s"],
    ["scale-down-delay", "1500ms"],
  ])("%s: %s rejects the whole map and names the key (S-4, S-6)", (key, text) => {
    const parsed = parseAutoscalerConfig({ [key]: text });
    expect(parsed.kind === "invalid" ? parsed.problems : []).toEqual([expect.stringContaining(`${key}: `)]);
  });

  test("a limit asks for a bound inside it, and min-scale must fit under max-scale (S-6)", () => {
    expect(parseAutoscalerConfig({ "max-scale-limit": "10" }).kind).toBe("invalid");
    expect(parseAutoscalerConfig({ "max-scale-limit": "10", "max-scale": "11" }).kind).toBe("invalid");
    expect(parseAutoscalerConfig({ "max-scale-limit": "10", "max-scale": "10" }).kind).toBe("valid");
    expect(parseAutoscalerConfig({ "min-scale": "3", "max-scale": "2" }).kind).toBe("invalid");
    expect(parseAutoscalerConfig({ "min-scale": "3" }).kind).toBe("valid");
  });

  test("several problems are told at once", () => {
    const parsed = parseAutoscalerConfig({ "stable-window": "soon", "max-scale": "many" });
    expect(parsed.kind === "invalid" ? parsed.problems.length : 0).toBe(2);
  });

  test.each([
    { data: {}, want: defaultDeploymentConfig },
    { data: { "progress-deadline": "121s" }, want: { progressDeadlineMs: 121_000 } },
    { data: { "progress-deadline": "0s" }, want: undefined },
    { data: { "progress-deadline": "later" }, want: undefined },
  ])("config-deployment $data (S-15)", ({ data, want }) => {
    expect(parseDeploymentConfig(data)).toEqual(want);
  });
});

describe("annotations of one revision", () => {
  const settings = (
    annotations: Record<string, string>,
    over: Partial<typeof defaultAutoscalerConfig> = {},
  ) =>
    revisionSettings(
      { metadata: { annotations } },
      { ...defaultAutoscalerConfig, ...over },
      defaultDeploymentConfig,
    );

  test("without annotations everything is the configuration's", () => {
    expect(settings({})).toMatchObject({
      metric: "concurrency",
      target: undefined,
      targetBurstCapacity: 211,
      minScale: 0,
      maxScale: 0,
      initialScale: 1,
      activationScale: 0,
      stableWindowMs: 60_000,
      podRetentionMs: 0,
      progressDeadlineMs: 600_000,
      aggregation: "linear",
    });
  });

  test("each annotation wins over the configuration (S-10)", () => {
    const prefix = "autoscaling.knative.dev/";
    expect(
      settings({
        [`${prefix}metric`]: "rps",
        [`${prefix}target`]: "30",
        [`${prefix}target-utilization-percentage`]: "50",
        [`${prefix}target-burst-capacity`]: "-1",
        [`${prefix}min-scale`]: "2",
        [`${prefix}max-scale`]: "4",
        [`${prefix}initial-scale`]: "3",
        [`${prefix}activation-scale`]: "2",
        [`${prefix}window`]: "6s",
        [`${prefix}panic-window-percentage`]: "50",
        [`${prefix}panic-threshold-percentage`]: "300",
        [`${prefix}scale-down-delay`]: "10s",
        [`${prefix}scale-to-zero-pod-retention-period`]: "1m2s500ms",
        [`${prefix}metric-aggregation-algorithm`]: "weighted-exponential",
        "serving.knative.dev/progress-deadline": "5s",
      }),
    ).toEqual({
      metric: "rps",
      target: 30,
      targetFraction: 0.5,
      targetBurstCapacity: -1,
      minScale: 2,
      maxScale: 4,
      initialScale: 3,
      activationScale: 2,
      stableWindowMs: 6_000,
      panicWindowPercentage: 50,
      panicThresholdPercentage: 300,
      scaleDownDelayMs: 10_000,
      podRetentionMs: 62_500,
      progressDeadlineMs: 5_000,
      aggregation: "weighted-exponential",
    });
  });

  test("the older spelling is read, and the newer one wins (S-10)", () => {
    expect(settings({ "autoscaling.knative.dev/maxScale": "5" }).maxScale).toBe(5);
    expect(
      settings({ "autoscaling.knative.dev/maxScale": "5", "autoscaling.knative.dev/max-scale": "6" })
        .maxScale,
    ).toBe(6);
  });

  test.each([
    ["min-scale", "-1"],
    ["min-scale", "foo"],
    ["max-scale", "2147483648"],
    ["initial-scale", "0"],
    ["activation-scale", "1"],
    ["target", "0"],
    ["target-utilization-percentage", "101"],
    ["target-burst-capacity", "-11"],
    ["window", "1s"],
    ["window", "1m9s82ms"],
    ["panic-threshold-percentage", "109"],
    ["scale-to-zero-pod-retention-period", "311m"],
    ["scale-down-delay", "42.5s"],
    ["metric", "cpu"],
    ["metric-aggregation-algorithm", "random-selection"],
  ])("a bad %s, %s, counts as not set (S-16, V-43)", (name, text) => {
    expect(settings({ [`autoscaling.knative.dev/${name}`]: text })).toEqual(settings({}));
  });

  test("initial scale 0 counts where the cluster allows it (S-73)", () => {
    const annotations = { "autoscaling.knative.dev/initial-scale": "0" };
    expect(settings(annotations, { isInitialScaleZeroAllowed: true }).initialScale).toBe(0);
  });

  test("a retention of 0 in the annotation takes back the configured one (V-44)", () => {
    const annotations = { "autoscaling.knative.dev/scale-to-zero-pod-retention-period": "0" };
    expect(settings(annotations, { podRetentionMs: 120_000 }).podRetentionMs).toBe(0);
  });

  test("the class is the annotation's, else the configured one (S-19)", () => {
    const config = { ...defaultAutoscalerConfig, podAutoscalerClass: "mine" };
    expect(classOf({ metadata: {} }, config)).toBe("mine");
    const annotations = { "autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev" };
    expect(classOf({ metadata: { annotations } }, config)).toBe("hpa.autoscaling.knative.dev");
  });
});

import { expect, test } from "vitest";
import { type HpaEvaluation, hpaConditions } from "./hpa-conditions.ts";

const still: HpaEvaluation = {
  current: 2,
  found: { kind: "replicas", replicas: 2 },
  steady: 2,
  desired: 2,
  bounds: { min: 1, max: 6 },
};
const asked = (replicas: number) => ({ kind: "replicas", replicas }) as const;

test.each<{ why: string; over: Partial<HpaEvaluation>; want: readonly string[] }>([
  { why: "nothing to do", over: {}, want: ["ReadyForNewScale", "ValidMetricFound", "DesiredWithinRange"] },
  {
    why: "another scale",
    over: { found: asked(4), steady: 4, desired: 4 },
    want: ["SucceededRescale", "ValidMetricFound", "DesiredWithinRange"],
  },
  {
    why: "a window holds a scale-up back",
    over: { found: asked(4) },
    want: ["ScaleUpStabilized", "ValidMetricFound", "DesiredWithinRange"],
  },
  {
    why: "a window holds a scale-down back",
    over: { found: asked(1) },
    want: ["ScaleDownStabilized", "ValidMetricFound", "DesiredWithinRange"],
  },
  {
    why: "the maximum",
    over: { found: asked(9), steady: 9, desired: 6 },
    want: ["SucceededRescale", "ValidMetricFound", "TooManyReplicas"],
  },
  {
    why: "the minimum",
    over: { found: asked(1), steady: 1, desired: 2, bounds: { min: 2, max: 6 } },
    want: ["ReadyForNewScale", "ValidMetricFound", "TooFewReplicas"],
  },
  {
    why: "the rate",
    over: { found: asked(90), steady: 90, desired: 6, bounds: { min: 1, max: 99 } },
    want: ["SucceededRescale", "ValidMetricFound", "ScaleUpLimit"],
  },
  {
    why: "nothing known",
    over: { found: { kind: "unknown", message: "no metrics of a ready pod" } },
    want: ["ReadyForNewScale", "FailedGetResourceMetric", "DesiredWithinRange"],
  },
  {
    why: "zero by somebody's decision",
    over: { current: 0, found: { kind: "unknown", message: "no pods to look at" }, steady: 0, desired: 0 },
    want: ["ReadyForNewScale", "ScalingDisabled", "DesiredWithinRange"],
  },
])("an HPA says what held it: $why", ({ over, want }) => {
  const { AbleToScale, ScalingActive, ScalingLimited } = hpaConditions({ ...still, ...over });
  expect([AbleToScale, ScalingActive, ScalingLimited].map(({ reason }) => reason)).toEqual(want);
});

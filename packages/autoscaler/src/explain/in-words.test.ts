import type { MonoMs, WallMs } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import type { AppliedScale } from "../apply/pod-autoscaler-reconciler.ts";
import { defaultAutoscalerConfig } from "../config/autoscaler-config.ts";
import { defaultDeploymentConfig } from "../config/deployment-config.ts";
import { revisionSettings } from "../config/revision-settings.ts";
import { Decider } from "../decide/decider.ts";
import { deciderSpec } from "../decide/decider-spec.ts";
import { appliedInWords, evaluationInWords, whyNotZero } from "./in-words.ts";

const config = defaultAutoscalerConfig;
const spec = deciderSpec(
  {
    spec: {
      containerConcurrency: 10,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
      protocolType: "http1",
    },
  },
  revisionSettings({ metadata: {} }, config, defaultDeploymentConfig),
  config,
);

const applied = (rest: Partial<AppliedScale>): AppliedScale => ({
  at: 0 as WallMs,
  desiredPods: 0,
  bounds: { min: 0, max: 0 },
  cut: "none",
  want: 0,
  zero: undefined,
  mode: { mode: "Proxy", activators: 2 },
  ...rest,
});

test("an evaluation shows its formula and what had the last word (S-79)", () => {
  const decider = new Decider(spec, 1, 0 as MonoMs);
  const calm = decider.decide({ readyPods: 1, stable: 9.5, panic: 9.5 }, 2_000 as MonoMs);
  expect(evaluationInWords(calm, spec)).toBe(
    "2 pods: 9.5 requests at a time over 60 s / 7 each: 2 pods; 9.5 over the panic window: 2 pods; panicking, so the larger counts",
  );
  const held = decider.decide({ readyPods: 2, stable: 0, panic: 0 }, 4_000 as MonoMs);
  expect(evaluationInWords(held, spec)).toMatch(/^2 pods: 0 .*; in panic never fewer than before$/);
});

describe("why it is not at zero", () => {
  test.each([
    { of: applied({ want: 3, desiredPods: 3 }), want: "the load asks for pods" },
    {
      of: applied({ want: 2, cut: "min-scale", bounds: { min: 2, max: 0 } }),
      want: "without load, but raised to the minimum (2)",
    },
    { of: applied({ zero: "grace-period" }), want: "the network has scale-to-zero-grace-period to follow" },
    {
      of: applied({ zero: "activator-not-in-path" }),
      want: "nobody has confirmed yet that requests reach an activator",
    },
    { of: applied({ want: undefined }), want: "nothing is known yet, so nothing is changed" },
    { of: undefined, want: "no pass has been made yet" },
  ])("$want", ({ of, want }) => {
    expect(whyNotZero(of)).toBe(want);
  });
});

test.each([
  {
    of: applied({ want: 5, cut: "max-scale", bounds: { min: 0, max: 5 } }),
    spare: -80,
    want: "wants 5 pods; cut to the maximum (0 to 5); Proxy mode: a burst would be 80 requests too many for its pods, so up to 2 activators hold what does not fit",
  },
  {
    of: applied({ want: 3, mode: { mode: "Serve", activators: 2 } }),
    spare: 12,
    want: "wants 3 pods; Serve mode: its pods could take 12 requests more than the burst aimed for",
  },
  {
    of: applied({ zero: "at-zero" }),
    spare: 0,
    want: "wants 0 pods; nothing was asked of it within its window; Proxy mode: no pods are wanted, so activators take what comes",
  },
])("what a pass did: $want", ({ of, spare, want }) => {
  expect(appliedInWords(of, spare)).toBe(want);
});

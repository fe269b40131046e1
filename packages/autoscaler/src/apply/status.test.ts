import { type Condition, ConditionSet } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { markActive, markInitialized, podAutoscalerConditions, type ScaleState } from "./status.ts";

const enough = { readyPods: 1, minReadyPods: 1, serviceName: "hello-00001" };
const few = { ...enough, readyPods: 0 };

function conditions(active: Partial<Condition> | undefined): ConditionSet {
  const before = active === undefined ? [] : [{ type: "Active", status: "Unknown", ...active } as const];
  return new ConditionSet("Ready", podAutoscalerConditions, before);
}

describe("Active (S-112, S-113)", () => {
  interface Row {
    readonly was: string;
    readonly state: Partial<ScaleState>;
    readonly becomes: string;
  }
  const rows: readonly Row[] = [
    { was: "True", state: { want: 0, ...enough }, becomes: "False NoTraffic" },
    { was: "Unknown Queued", state: { want: 0, ...few }, becomes: "False TimedOut" },
    { was: "Unknown Queued", state: { want: 0, ...few, minReadyPods: 0 }, becomes: "False NoTraffic" },
    { was: "Unknown Queued", state: { want: 1, ...few, minReadyPods: 0 }, becomes: "False NoTraffic" },
    { was: "False TimedOut", state: { want: 0, ...few }, becomes: "False TimedOut" },
    { was: "False TimedOut", state: { want: undefined, ...few }, becomes: "False TimedOut" },
    { was: "False TimedOut", state: { want: 1, ...few }, becomes: "Unknown Queued" },
    { was: "False NoTraffic", state: { want: 1, ...few }, becomes: "Unknown Queued" },
    { was: "False NoTraffic", state: { want: 1, ...enough }, becomes: "True" },
    { was: "False NoTraffic", state: { want: undefined, ...few }, becomes: "False NoTraffic" },
    { was: "False NoTraffic", state: { want: undefined, ...enough }, becomes: "False NoTraffic" },
    { was: "Unknown Queued", state: { want: undefined, ...few }, becomes: "Unknown Queued" },
    { was: "Unknown Queued", state: { want: undefined, ...enough }, becomes: "True" },
    { was: "True", state: { want: undefined, ...few }, becomes: "Unknown Queued" },
    { was: "True", state: { want: undefined, ...enough }, becomes: "True" },
    { was: "True", state: { want: 2, ...few }, becomes: "Unknown Queued" },
  ];
  test.each(rows)("$was, $state becomes $becomes", ({ was, state, becomes }) => {
    const [status, reason] = was.split(" ");
    const set = conditions({
      status: status === "True" || status === "False" ? status : "Unknown",
      ...(reason === undefined ? {} : { reason }),
    });
    markActive(set, { want: undefined, ...enough, ...state });
    const got = set.get("Active");
    expect([got.status, got.reason].filter(Boolean).join(" ")).toBe(becomes);
  });

  test("a fresh one is queued (W-15)", () => {
    const set = conditions(undefined);
    markActive(set, { want: undefined, readyPods: 0, minReadyPods: 1, serviceName: "" });
    expect(set.get("Active")).toMatchObject({ status: "Unknown", reason: "Queued" });
    expect(set.get("Ready")).toMatchObject({ status: "Unknown", reason: "Queued" });
  });
});

describe("ScaleTargetInitialized (S-111)", () => {
  test.each([
    { when: "enough pods and a service", state: enough, want: "True" },
    { when: "no service yet (W-21)", state: { ...enough, serviceName: "" }, want: "Unknown" },
    { when: "too few pods", state: few, want: "Unknown" },
    { when: "initial scale 0 (W-21)", state: { ...few, minReadyPods: 0 }, want: "True" },
  ])("$when: $want", ({ state, want }) => {
    const set = conditions(undefined);
    markInitialized(set, { want: undefined, ...state });
    expect(set.get("ScaleTargetInitialized").status).toBe(want);
  });

  test("is never taken back", () => {
    const set = new ConditionSet("Ready", podAutoscalerConditions, [
      { type: "ScaleTargetInitialized", status: "True" },
    ]);
    markInitialized(set, { want: 0, ...few });
    expect(set.get("ScaleTargetInitialized").status).toBe("True");
  });
});

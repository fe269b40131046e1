import type { TrafficTarget } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { knTraffic, type TrafficFlags } from "./support/kn-traffic.ts";

const latest = { latestRevision: true, percent: 100 };
const status: readonly TrafficTarget[] = [{ revisionName: "r2", latestRevision: true, percent: 100 }];
const shown = (targets: readonly TrafficTarget[]) =>
  targets.map(({ revisionName = "@latest", percent, tag }) =>
    [revisionName, percent, tag ?? ""].join(" ").trim(),
  );

describe("CV-38, C-165: kn's arithmetic of traffic", () => {
  test.each<{ flags: TrafficFlags; spec?: readonly TrafficTarget[]; want: readonly string[] | string }>([
    { flags: { traffic: ["r1=20", "@latest=80"] }, want: ["@latest 80", "r1 20"] },
    { flags: { tag: ["r1=old"] }, want: ["@latest 100", "r1 0 old"] },
    {
      flags: { traffic: ["old=30"] },
      spec: [latest, { revisionName: "r1", percent: 0, tag: "old", latestRevision: false }],
      want: ["r1 30 old", "r2 70"],
    },
    {
      flags: { untag: ["old"] },
      spec: [latest, { revisionName: "r1", percent: 0, tag: "old", latestRevision: false }],
      want: ["@latest 100"],
    },
    { flags: { traffic: ["r1=120"] }, want: "percents sum to 120" },
    { flags: { tag: ["@latest=v1"] }, want: ["@latest 100 v1"] },
    { flags: { untag: ["none"] }, want: "not present" },
  ])("$flags: $want", ({ flags, spec = [latest], want }) => {
    if (typeof want === "string") expect(() => knTraffic(spec, status, flags)).toThrow(want);
    else expect(shown(knTraffic(spec, status, flags))).toEqual(want);
  });
});

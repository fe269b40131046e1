import type { TrafficTarget } from "@rouse/shared";
import { expect, test } from "vitest";
import { isTrafficMigrated } from "./traffic-migrated.ts";

const latest = { configurationName: "h", latestRevision: true };
const row = (
  why: string,
  wanted: readonly TrafficTarget[],
  actual: readonly TrafficTarget[],
  want: boolean,
): { why: string; wanted: readonly TrafficTarget[]; actual: readonly TrafficTarget[]; want: boolean } => ({
  why,
  wanted,
  actual,
  want,
});

test.each([
  row("the newest has it all", [{ ...latest, percent: 100 }], [{ revisionName: "h-2", percent: 100 }], true),
  row(
    "CV-15: the old one still has it",
    [{ ...latest, percent: 100 }],
    [{ revisionName: "h-1", percent: 100 }],
    false,
  ),
  row(
    "a tag is missing",
    [{ ...latest, percent: 100, tag: "t" }],
    [{ revisionName: "h-2", percent: 100 }],
    false,
  ),
  row(
    "url and latestRevision do not matter",
    [{ revisionName: "h-1", percent: 100, tag: "t" }],
    [{ revisionName: "h-1", percent: 100, tag: "t", url: "http://t", latestRevision: false }],
    true,
  ),
  row(
    "C-28: entries the Route merges are one",
    [
      { ...latest, percent: 50 },
      { ...latest, percent: 50 },
    ],
    [{ revisionName: "h-2", percent: 100, latestRevision: true }],
    true,
  ),
  row(
    "shares differ",
    [
      { revisionName: "h-1", percent: 90 },
      { ...latest, percent: 10 },
    ],
    [
      { revisionName: "h-1", percent: 80 },
      { revisionName: "h-2", percent: 20 },
    ],
    false,
  ),
])("$why: $want", ({ wanted, actual, want }) => {
  expect(isTrafficMigrated(wanted, actual, { configurationName: "h", latestReady: "h-2" })).toBe(want);
});

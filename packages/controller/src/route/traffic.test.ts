import type { Configuration, Revision, Stored, TrafficTarget } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { configurationOf, revisionOf, routeOf } from "../../test/stored.ts";
import { resolveTraffic, type TrafficSource } from "./traffic.ts";

const SERVICE = "serving.knative.dev/service";
const sourceOf = (
  configurations: readonly Stored<Configuration>[],
  revisions: readonly Stored<Revision>[],
): TrafficSource => ({
  configuration: (name) => configurations.find(({ metadata }) => metadata.name === name),
  revision: (name) => revisions.find(({ metadata }) => metadata.name === name),
});
const c = configurationOf("c", {}, { status: { latestReadyRevisionName: "r2" } });
const all = sourceOf([c], [revisionOf("r1", { ready: "True" }), revisionOf("r2", { ready: "True" })]);

const toC = (percent: number, tag?: string): TrafficTarget => ({
  configurationName: "c",
  latestRevision: true,
  percent,
  ...(tag === undefined ? {} : { tag }),
});
const to = (revisionName: string, percent: number, tag?: string): TrafficTarget => ({
  revisionName,
  latestRevision: false,
  percent,
  ...(tag === undefined ? {} : { tag }),
});

describe("CV-16, C-68, C-70, C-71: traffic", () => {
  const row = (traffic: TrafficTarget[], groups: Record<string, string>, status: string[]) => ({
    traffic,
    groups,
    status,
  });
  test.each([
    row([toC(100)], { "": "r2 100" }, ["r2 100 latest"]),
    row([to("r1", 90), toC(10)], { "": "r1 90, r2 10" }, ["r1 90", "r2 10 latest"]),
    row([toC(100), toC(0, "t")], { "": "r2 100", t: "r2 100" }, ["r2 100 latest", "r2 0 latest t"]),
    row(
      [to("r1", 49, "a"), to("r2", 50, "b"), toC(1, "d")],
      { "": "r1 49, r2 51", a: "r1 100", b: "r2 100", d: "r2 100" },
      ["r1 49 a", "r2 50 b", "r2 1 latest d"],
    ),
    row([toC(50), toC(50)], { "": "r2 100" }, ["r2 100 latest"]),
    row([to("r2", 50), toC(50)], { "": "r2 100" }, ["r2 50", "r2 50 latest"]),
    row([to("r1", 100, "a")], { "": "r1 100", a: "r1 100" }, ["r1 100 a"]),
  ])("$traffic: $groups", ({ traffic, groups, status }) => {
    const found = resolveTraffic(routeOf("route", traffic), all);
    expect(found.kind).toBe("resolved");
    if (found.kind !== "resolved") return;
    const texts = [...found.groups].map(([tag, targets]) => [
      tag,
      targets.map(({ revisionName, percent }) => `${revisionName} ${percent}`).join(", "),
    ]);
    expect(Object.fromEntries(texts)).toEqual(groups);
    expect(
      found.targets.map(({ revisionName, percent, isLatest, tag }) =>
        [revisionName, percent, isLatest ? "latest" : "", tag].filter((part) => part !== "").join(" "),
      ),
    ).toEqual(status);
  });
});

describe("CV-17, C-69: what cannot be routed", () => {
  const failed = configurationOf(
    "failed",
    {},
    { status: { observedGeneration: 1, conditions: [{ type: "Ready", status: "False" }] } },
  );
  const early = configurationOf("early");
  const foreign = revisionOf("foreign", { ready: "True", meta: { labels: { [SERVICE]: "other" } } });
  const broken = revisionOf("broken", { ready: "False" });
  const starting = revisionOf("starting", { ready: "Unknown" });
  const source = sourceOf([failed, early], [foreign, broken, starting]);
  const latestOf = (configurationName: string): TrafficTarget => ({
    configurationName,
    latestRevision: true,
    percent: 50,
  });
  test.each([
    { why: "not ready yet", traffic: [latestOf("early")], want: "Unknown RevisionMissing early" },
    { why: "failed", traffic: [latestOf("failed")], want: "False RevisionMissing failed" },
    { why: "missing configuration", traffic: [latestOf("gone")], want: "False ConfigurationMissing gone" },
    { why: "missing revision", traffic: [to("r9", 100)], want: "False RevisionMissing r9" },
    { why: "revision not ready", traffic: [to("starting", 100)], want: "Unknown RevisionMissing starting" },
    { why: "revision failed", traffic: [to("broken", 100)], want: "False RevisionMissing broken" },
    {
      why: "a failure overrides",
      traffic: [latestOf("early"), to("r9", 50)],
      want: "False RevisionMissing r9",
    },
    { why: "a failure stays", traffic: [to("r9", 50), latestOf("early")], want: "False RevisionMissing r9" },
    {
      why: "the failed one is told",
      traffic: [latestOf("failed"), latestOf("early")],
      want: "False RevisionMissing failed",
    },
  ])("$why: $want", ({ traffic, want }) => {
    const found = resolveTraffic(routeOf("route", traffic), source);
    const [status, reason, name = ""] = want.split(" ");
    expect(found).toMatchObject({ kind: "unresolved", assigned: { status, reason } });
    if (found.kind === "unresolved") expect(found.assigned.message).toContain(name);
  });

  test("a Service's route may not name another Service's revision, one of nobody may", () => {
    const traffic = [to("foreign", 100)];
    expect(
      resolveTraffic(routeOf("route", traffic, { labels: { [SERVICE]: "mine" } }), source),
    ).toMatchObject({
      kind: "unresolved",
      assigned: { status: "False", reason: "RevisionNotOwned" },
    });
    expect(resolveTraffic(routeOf("route", traffic), source).kind).toBe("resolved");
  });
});

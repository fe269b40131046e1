import type { Condition, Revision, Stored } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { configurationOf, revisionOf } from "../../test/stored.ts";
import { latestReady } from "./latest-ready.ts";

const generation = (number: number, ready?: Condition["status"]): Stored<Revision> =>
  revisionOf(`h-${number}`, {
    meta: { labels: { "serving.knative.dev/configurationGeneration": String(number) } },
    ...(ready === undefined ? {} : { ready }),
  });
const configuration = (number: number, current: string | undefined) =>
  configurationOf(
    "h",
    { generation: number },
    current === undefined ? {} : { status: { latestReadyRevisionName: current } },
  );

describe("CV-14, C-35, C-36, CI-3: the latest ready revision", () => {
  test.each([
    { why: "nothing is ready", current: undefined, all: [generation(1)], want: undefined },
    { why: "the first", current: undefined, all: [generation(1, "True")], want: "h-1" },
    {
      why: "a newer one, while the newest is not yet",
      current: "h-1",
      all: [generation(1, "True"), generation(2, "True"), generation(3, "Unknown")],
      want: "h-2",
    },
    {
      why: "the newest failed",
      current: "h-1",
      all: [generation(1, "True"), generation(2, "True"), generation(3, "False")],
      want: "h-2",
    },
    {
      why: "it never goes back",
      current: "h-2",
      all: [generation(1, "True"), generation(2, "False")],
      want: undefined,
    },
    {
      why: "it was deleted: from the start",
      current: "h-9",
      all: [generation(1, "True"), generation(2, "False")],
      want: "h-1",
    },
    {
      why: "numbers, not texts",
      current: undefined,
      all: [generation(9, "True"), generation(10, "True")],
      want: "h-10",
    },
  ])("$why: $want", ({ current, all, want }) => {
    const created = all.at(-1) ?? generation(1);
    expect(latestReady(configuration(10, current), created, all)?.metadata.name).toBe(want);
  });

  test("a name chosen by the template goes first, also back to an older one", () => {
    const all = [generation(1, "True"), generation(2, "True")];
    const named = configurationOf(
      "h",
      { generation: 3 },
      {
        spec: { template: { metadata: { name: "h-1" }, spec: { containers: [{ name: "a" }] } } },
        status: { latestReadyRevisionName: "h-2" },
      },
    );
    expect(latestReady(named, generation(1, "True"), all)?.metadata.name).toBe("h-1");
  });
});

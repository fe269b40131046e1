import { parseRfc3339, type Revision, rfc3339, type Stored, type WallMs } from "@rouse/shared";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { revisionOf } from "../../test/stored.ts";
import { staleRevisions } from "./stale-revisions.ts";

const K = "serving.knative.dev";
const MINUTE_MS = 60_000;
const NOW = parseRfc3339("2026-01-01T10:00:00Z");
if (NOW === undefined) throw new Error("no time");
const now: WallMs = NOW;

interface Given {
  readonly name: string;
  readonly age?: number;
  readonly state?: string;
  readonly noGc?: boolean;
}
const revision = ({ name, age = 0, state = "reserve", noGc = false }: Given): Stored<Revision> => {
  const at = rfc3339((now - age * MINUTE_MS) as WallMs);
  return revisionOf(name, {
    meta: {
      creationTimestamp: at,
      labels: { [`${K}/routingState`]: state },
      annotations: { [`${K}/routingStateModified`]: at, ...(noGc ? { [`${K}/no-gc`]: "TRUE" } : {}) },
    },
  });
};
const gcOf = (minutes: number | undefined, nonActiveMin: number, nonActiveMax?: number) => {
  const retainMs = minutes === undefined ? undefined : minutes * MINUTE_MS;
  return { retainSinceCreateMs: retainMs, retainSinceActiveMs: retainMs, nonActiveMin, nonActiveMax };
};
const r9: Given = { name: "r9", state: "active" };
const reserve = (...ages: number[]): Given[] => ages.map((age, index) => ({ name: `r${index + 1}`, age }));

describe("CV-34, C-135, C-137, C-138: which revisions go", () => {
  test.each([
    { why: "old ones, but for the minimum", all: [...reserve(13, 12), r9], gc: gcOf(5, 1), want: ["r1"] },
    {
      why: "a kept one does not count",
      all: [{ name: "r1", age: 13, noGc: true }, { name: "r2", age: 12 }, r9],
      gc: gcOf(5, 1),
      want: [],
    },
    {
      why: "a pending one does not count",
      all: [{ name: "r1", age: 13, state: "pending" }, { name: "r2", age: 12 }, r9],
      gc: gcOf(5, 1),
      want: [],
    },
    {
      why: "young ones above the maximum",
      all: [...reserve(13, 12, 11), r9],
      gc: gcOf(60, 1, 2),
      want: ["r1"],
    },
    { why: "by number alone", all: [...reserve(13, 12, 11), r9], gc: gcOf(undefined, 1, 2), want: ["r1"] },
    { why: "nothing is enabled", all: [...reserve(13, 12, 11), r9], gc: gcOf(undefined, 1), want: [] },
    {
      why: "none is to be kept",
      all: [...reserve(13, 12, 11), r9],
      gc: gcOf(undefined, 0, 0),
      want: ["r1", "r2", "r3"],
    },
  ])("$why: $want", ({ all, gc, want }) => {
    const stale = staleRevisions(all.map(revision), { latestReady: "r9", gc, now });
    expect(stale.map(({ metadata }) => metadata.name)).toEqual(want);
  });
});

test("CI-9: never an active one or the latest ready, and the minimum stays", () => {
  const given = fc.record({
    age: fc.nat(100),
    state: fc.constantFrom("active", "reserve", "pending"),
    noGc: fc.boolean(),
  });
  const limits = fc.record({
    minutes: fc.option(fc.nat(100), { nil: undefined }),
    min: fc.nat(4),
    extra: fc.option(fc.nat(4), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(given, { maxLength: 12 }), limits, (list, { minutes, min, extra }) => {
      const all = list.map((one, index) => revision({ ...one, name: `r${index}` }));
      const gc = gcOf(minutes, min, extra === undefined ? undefined : min + extra);
      const stale = staleRevisions(all, { latestReady: "r0", gc, now });
      for (const one of stale) {
        expect(one.metadata.labels?.[`${K}/routingState`]).toBe("reserve");
        expect(one.metadata.name).not.toBe("r0");
      }
      const idle = all.filter(
        ({ metadata }) =>
          metadata.name !== "r0" &&
          metadata.labels?.[`${K}/routingState`] === "reserve" &&
          metadata.annotations?.[`${K}/no-gc`] === undefined,
      );
      expect(idle.length - stale.length).toBeGreaterThanOrEqual(Math.min(idle.length, min));
    }),
  );
});

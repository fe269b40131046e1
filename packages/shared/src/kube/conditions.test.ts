import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Condition, ConditionSet, type ConditionStatus, findCondition } from "./conditions.ts";

const EARLY = "2026-01-01T00:00:00Z";
const LATE = "2026-01-02T00:00:00Z";
const NOW = "2026-01-03T00:00:00Z";

const fresh = (before?: readonly Condition[]) => new ConditionSet("Ready", ["A", "B", "C"], before);
const ready = (set: ConditionSet) => [set.get("Ready").status, set.get("Ready").reason];

describe("Ready follows its dependents (C-19..C-22, S-20, CV-31)", () => {
  test("all Unknown until every dependent is True", () => {
    const set = fresh();
    expect(ready(set)).toEqual(["Unknown", undefined]);
    set.set("A", { status: "True" });
    set.set("B", { status: "True" });
    expect(ready(set)).toEqual(["Unknown", undefined]);
    set.set("C", { status: "True" });
    expect(ready(set)).toEqual(["True", undefined]);
  });

  test("False(x) then Unknown(y) stays False(x)", () => {
    const set = fresh();
    set.set("A", { status: "False", reason: "x" });
    set.set("B", { status: "Unknown", reason: "y" });
    expect(ready(set)).toEqual(["False", "x"]);
  });

  test("of several False the last writer wins; when it is well again the other one shows", () => {
    const set = fresh();
    set.set("A", { status: "False", reason: "x" });
    set.set("B", { status: "False", reason: "y" });
    expect(ready(set)).toEqual(["False", "y"]);
    set.set("B", { status: "True" });
    expect(ready(set)).toEqual(["False", "x"]);
  });

  test("of several False the one that changed last supplies the reason, whatever their order", () => {
    const set = fresh();
    set.set("A", { status: "False", reason: "x" });
    set.set("B", { status: "False", reason: "y" });
    set.set("C", { status: "True" });
    expect(ready(set)).toEqual(["False", "y"]);
    const stored = fresh([
      { type: "A", status: "False", reason: "x", lastTransitionTime: EARLY },
      { type: "B", status: "False", reason: "y", lastTransitionTime: LATE },
    ]);
    stored.set("C", { status: "True" });
    expect(ready(stored)).toEqual(["False", "y"]);
  });

  test("one that changed in this pass is later than any that did not", () => {
    const set = fresh([{ type: "B", status: "False", reason: "y", lastTransitionTime: LATE }]);
    set.set("A", { status: "False", reason: "x" });
    set.set("C", { status: "True" });
    expect(ready(set)).toEqual(["False", "x"]);
  });

  test("a type outside the set has severity Info and moves Ready only by being True", () => {
    const set = fresh();
    for (const type of ["A", "B", "C"]) set.set(type, { status: "True" });
    set.set("Active", { status: "False", reason: "NoTraffic" });
    expect(ready(set)).toEqual(["True", undefined]);
    expect(set.get("Active").severity).toBe("Info");
    set.setHappy({ status: "Unknown", reason: "NewObservedGenFailure" });
    set.set("Active", { status: "Unknown" });
    expect(ready(set)).toEqual(["Unknown", "NewObservedGenFailure"]);
    set.set("Active", { status: "True" });
    expect(ready(set)).toEqual(["True", undefined]);
  });

  test("a new dependent of an object that is Ready starts True, of any other Unknown (C-18)", () => {
    expect(fresh([{ type: "Ready", status: "True" }]).get("C").status).toBe("True");
    expect(fresh([{ type: "Ready", status: "False" }]).get("C").status).toBe("Unknown");
  });

  test("Ready never contradicts its dependents once one was set", () => {
    const status = fc.constantFrom<ConditionStatus>("True", "False", "Unknown");
    const step = fc.record({
      type: fc.constantFrom("A", "B", "C", "Active"),
      status,
      reason: fc.constantFrom("x", "y"),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1 }), (steps) => {
        const set = fresh();
        for (const { type, ...change } of steps) {
          set.set(type, change);
          const dependents = ["A", "B", "C"].map((name) => set.get(name).status);
          const want = (["False", "Unknown"] as const).find((one) => dependents.includes(one)) ?? "True";
          expect(set.get("Ready").status).toBe(want);
        }
      }),
    );
  });
});

describe("times (S-21, C-10)", () => {
  const before: readonly Condition[] = [
    { type: "A", status: "True", lastTransitionTime: EARLY },
    { type: "B", status: "False", reason: "x", message: "m", lastTransitionTime: EARLY },
    { type: "Ready", status: "False", reason: "x", message: "m", lastTransitionTime: EARLY },
  ];

  test("move when status, reason or message changes, all to the same moment, and only then", () => {
    const set = new ConditionSet("Ready", ["A", "B"], before);
    set.set("A", { status: "True" });
    set.set("B", { status: "False", reason: "x", message: "another" });
    expect(set.list(NOW).map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).toEqual([
      ["A", EARLY],
      ["B", NOW],
      ["Ready", NOW],
    ]);
  });

  test("a pass that sets what is there already changes nothing (CI-1)", () => {
    const set = new ConditionSet("Ready", ["A", "B"], before);
    set.set("B", { status: "True" });
    set.set("A", { status: "True" });
    set.set("B", { status: "False", reason: "x", message: "m" });
    expect(set.list(NOW)).toEqual(before);
  });

  test("conditions of others are kept, and all are sorted by type", () => {
    const set = new ConditionSet("Ready", ["A"], [{ type: "Z", status: "True", lastTransitionTime: EARLY }]);
    expect(set.list(NOW).map(({ type }) => type)).toEqual(["A", "Ready", "Z"]);
    expect(findCondition(set.list(NOW), "Z")?.lastTransitionTime).toBe(EARLY);
    expect(findCondition(undefined, "Z")).toBeUndefined();
  });
});

import { describe, expect, test } from "vitest";
import { sameState, semanticEqual } from "./semantic-equal.ts";

describe("semanticEqual (C-13)", () => {
  test.each([
    { a: undefined, b: null, equal: true },
    { a: [], b: undefined, equal: true },
    { a: {}, b: null, equal: true },
    { a: { labels: {} }, b: {}, equal: true },
    { a: { spec: { list: [], map: { inner: null } } }, b: {}, equal: true },
    { a: { x: 1 }, b: { x: 1, y: [] }, equal: true },
    { a: { x: 0 }, b: {}, equal: false },
    { a: { x: "" }, b: {}, equal: false },
    { a: { x: false }, b: {}, equal: false },
    { a: [1, 2], b: [2, 1], equal: false },
    { a: [{}], b: [], equal: false },
    { a: [1], b: { 0: 1 }, equal: false },
    { a: "1", b: 1, equal: false },
    { a: { x: { y: [1, { z: "a" }] } }, b: { x: { y: [1, { z: "a" }] } }, equal: true },
    { a: { x: { y: [1, { z: "a" }] } }, b: { x: { y: [1, { z: "b" }] } }, equal: false },
  ])("$a and $b: $equal, in both orders", ({ a, b, equal }) => {
    expect(semanticEqual(a, b)).toBe(equal);
    expect(semanticEqual(b, a)).toBe(equal);
  });

  test("lastTransitionTime counts here and not in sameState", () => {
    const early = {
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }],
    };
    const late = {
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-02T00:00:00Z" }],
    };
    expect(semanticEqual(early, late)).toBe(false);
    expect(sameState(early, late)).toBe(true);
    expect(sameState(early, { conditions: [{ type: "Ready", status: "False" }] })).toBe(false);
  });
});

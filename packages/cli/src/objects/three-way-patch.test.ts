import { expect, test } from "vitest";
import { threeWayPatch } from "./three-way-patch.ts";

test.each([
  {
    why: "what the manifest says is said again",
    last: { spec: { a: 1 } },
    wanted: { spec: { a: 2 } },
    patch: { spec: { a: 2 } },
  },
  {
    why: "what it no longer says is taken back",
    last: { spec: { a: 1, b: 2 } },
    wanted: { spec: { a: 1 } },
    patch: { spec: { a: 1, b: null } },
  },
  {
    why: "a whole part it no longer has is taken back",
    last: { metadata: { labels: { x: "1" } }, spec: {} },
    wanted: { spec: {} },
    patch: { metadata: null, spec: {} },
  },
  {
    why: "what it never said is not touched",
    last: {},
    wanted: { spec: { a: 1 } },
    patch: { spec: { a: 1 } },
  },
  {
    why: "a list is replaced whole",
    last: { args: ["a", "b"] },
    wanted: { args: ["c"] },
    patch: { args: ["c"] },
  },
  {
    why: "a value may become an object and back",
    last: { a: 1, b: { c: 1 } },
    wanted: { a: { d: 1 }, b: 2 },
    patch: { a: { d: 1 }, b: 2 },
  },
])("$why", ({ last, wanted, patch }) => {
  expect(threeWayPatch(last, wanted)).toEqual(patch);
});

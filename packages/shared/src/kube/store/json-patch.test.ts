import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isKubeError, type JsonPatchOperation, KubeError } from "../client.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";

/** Cases of RFC 6902, appendix A, and what is around them. */
describe("JSON patch (RFC 6902, P-51)", () => {
  test.each<{ why: string; before: unknown; patch: JsonPatchOperation[]; after: unknown }>([
    {
      why: "A.1 adds a member",
      before: { foo: "bar" },
      patch: [{ op: "add", path: "/baz", value: "qux" }],
      after: { foo: "bar", baz: "qux" },
    },
    {
      why: "A.2 adds an element",
      before: { foo: ["bar", "baz"] },
      patch: [{ op: "add", path: "/foo/1", value: "qux" }],
      after: { foo: ["bar", "qux", "baz"] },
    },
    {
      why: "A.3 removes a member",
      before: { baz: "qux", foo: "bar" },
      patch: [{ op: "remove", path: "/baz" }],
      after: { foo: "bar" },
    },
    {
      why: "A.4 removes an element",
      before: { foo: ["bar", "qux", "baz"] },
      patch: [{ op: "remove", path: "/foo/1" }],
      after: { foo: ["bar", "baz"] },
    },
    {
      why: "A.5 replaces",
      before: { baz: "qux" },
      patch: [{ op: "replace", path: "/baz", value: "boo" }],
      after: { baz: "boo" },
    },
    {
      why: "A.6 moves a member",
      before: { foo: { bar: "baz", waldo: "fred" }, qux: {} },
      patch: [{ op: "move", from: "/foo/waldo", path: "/qux/thud" }],
      after: { foo: { bar: "baz" }, qux: { thud: "fred" } },
    },
    {
      why: "A.7 moves an element",
      before: { foo: ["all", "grass", "cows", "eat"] },
      patch: [{ op: "move", from: "/foo/1", path: "/foo/3" }],
      after: { foo: ["all", "cows", "eat", "grass"] },
    },
    {
      why: "A.8 tests",
      before: { baz: "qux", foo: ["a", 2, "c"] },
      patch: [
        { op: "test", path: "/baz", value: "qux" },
        { op: "test", path: "/foo/1", value: 2 },
      ],
      after: { baz: "qux", foo: ["a", 2, "c"] },
    },
    {
      why: "A.10 adds a nested member",
      before: { foo: "bar" },
      patch: [{ op: "add", path: "/child", value: { grandchild: {} } }],
      after: { foo: "bar", child: { grandchild: {} } },
    },
    {
      why: "A.14 unescapes ~",
      before: { "/": 9, "~1": 10 },
      patch: [{ op: "test", path: "/~01", value: 10 }],
      after: { "/": 9, "~1": 10 },
    },
    {
      why: "A.16 appends",
      before: { foo: ["bar"] },
      patch: [{ op: "add", path: "/foo/-", value: ["abc"] }],
      after: { foo: ["bar", ["abc"]] },
    },
    {
      why: "copies",
      before: { a: { b: 1 } },
      patch: [{ op: "copy", from: "/a", path: "/c" }],
      after: { a: { b: 1 }, c: { b: 1 } },
    },
    {
      why: "replaces the whole",
      before: { a: 1 },
      patch: [{ op: "replace", path: "", value: { b: 1 } }],
      after: { b: 1 },
    },
    {
      why: "goes through elements",
      before: { a: [{ b: 1 }] },
      patch: [{ op: "replace", path: "/a/0/b", value: 2 }],
      after: { a: [{ b: 2 }] },
    },
  ])("$why", ({ before, patch, after }) => {
    const frozen = JSON.stringify(before);
    expect(applyJsonPatch(before, patch)).toEqual(after);
    expect(JSON.stringify(before)).toBe(frozen);
  });

  test.each<{ why: string; patch: unknown[] }>([
    { why: "a failed test", patch: [{ op: "test", path: "/a", value: 2 }] },
    { why: "a missing member", patch: [{ op: "remove", path: "/nope" }] },
    { why: "a missing parent", patch: [{ op: "add", path: "/nope/x", value: 1 }] },
    { why: "an element past the end", patch: [{ op: "add", path: "/list/4", value: 1 }] },
    { why: "an index with a leading zero", patch: [{ op: "replace", path: "/list/01", value: 1 }] },
    { why: "a negative index", patch: [{ op: "remove", path: "/list/-1" }] },
    { why: "the element after the last where one has to be", patch: [{ op: "remove", path: "/list/-" }] },
    { why: "a member of a number", patch: [{ op: "add", path: "/a/b", value: 1 }] },
    { why: "a path without a slash", patch: [{ op: "add", path: "a", value: 1 }] },
    { why: "no path", patch: [{ op: "add", value: 1 }] },
    { why: "an unknown operation", patch: [{ op: "spam", path: "/a" }] },
    { why: "a prototype", patch: [{ op: "remove", path: "/__proto__" }] },
    { why: "a move into itself", patch: [{ op: "move", from: "/map", path: "/map/x" }] },
  ])("refuses $why", ({ patch }) => {
    const document = { a: 1, list: [1, 2, 3], map: {} };
    const operations: JsonPatchOperation[] = JSON.parse(JSON.stringify(patch));
    expect(() => applyJsonPatch(document, operations)).toThrow(KubeError);
    try {
      applyJsonPatch(document, operations);
    } catch (error) {
      expect(isKubeError(error, "Invalid")).toBe(true);
    }
  });

  test("any patch at all ends with a value or as invalid (P-146)", () => {
    const operation = fc.record({
      op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test", "x"),
      path: fc.oneof(fc.string(), fc.constantFrom("", "/", "/a", "/list/0", "/list/-", "/~2")),
      from: fc.constantFrom("/a", "/list/1", "/nope", ""),
      value: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.array(operation), (operations) => {
        const patch: JsonPatchOperation[] = JSON.parse(JSON.stringify(operations));
        try {
          applyJsonPatch({ a: 1, list: [1, 2] }, patch);
        } catch (error) {
          expect(isKubeError(error, "Invalid")).toBe(true);
        }
      }),
    );
  });
});

/** The table of RFC 7396, appendix A. */
describe("merge patch (RFC 7396, P-52)", () => {
  test.each([
    { before: { a: "b" }, patch: { a: "c" }, after: { a: "c" } },
    { before: { a: "b" }, patch: { b: "c" }, after: { a: "b", b: "c" } },
    { before: { a: "b" }, patch: { a: null }, after: {} },
    { before: { a: "b", b: "c" }, patch: { a: null }, after: { b: "c" } },
    { before: { a: ["b"] }, patch: { a: "c" }, after: { a: "c" } },
    { before: { a: "c" }, patch: { a: ["b"] }, after: { a: ["b"] } },
    { before: { a: { b: "c" } }, patch: { a: { b: "d", c: null } }, after: { a: { b: "d" } } },
    { before: { a: [{ b: "c" }] }, patch: { a: [1] }, after: { a: [1] } },
    { before: ["a", "b"], patch: ["c", "d"], after: ["c", "d"] },
    { before: { a: "b" }, patch: ["c"], after: ["c"] },
    { before: { a: "foo" }, patch: null, after: null },
    { before: { e: null }, patch: { a: 1 }, after: { e: null, a: 1 } },
    { before: [1, 2], patch: { a: "b", c: null }, after: { a: "b" } },
    { before: {}, patch: { a: { bb: { ccc: null } } }, after: { a: { bb: {} } } },
  ])("$before and $patch: $after", ({ before, patch, after }) => {
    expect(applyMergePatch(before, patch)).toEqual(after);
  });
});

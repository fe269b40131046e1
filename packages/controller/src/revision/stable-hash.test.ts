import fc from "fast-check";
import { expect, test } from "vitest";
import { stableHash } from "./stable-hash.ts";

test("the order of members and absent ones do not matter", () => {
  expect(stableHash({ a: 1, b: [{ c: "x", d: null }], e: undefined })).toBe(
    stableHash({ b: [{ d: null, c: "x" }], a: 1 }),
  );
});

test.each([
  [{ a: "1" }, { a: 1 }],
  [{ a: ["b", "c"] }, { a: ["c", "b"] }],
  [{ a: { b: 1 } }, { a: {}, b: 1 }],
  [["a,b"], ["a", "b"]],
])("%j and %j differ", (a, b) => {
  expect(stableHash(a)).not.toBe(stableHash(b));
});

test("it is a short name, the same after a trip through JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const again: unknown = JSON.parse(JSON.stringify(value));
      expect(stableHash(again)).toBe(stableHash(value));
      expect(stableHash(value)).toMatch(/^[0-9a-z]{1,7}$/);
    }),
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromFieldsV1, isSameSet, minus, pathsOf, toFieldsV1, union } from "./field-set.ts";
import type { FieldType } from "./field-type.ts";
import { differenceOf, merged, setOf, without } from "./typed-value.ts";

const whole: FieldType = { kind: "whole" };
const item: FieldType = { kind: "members", of: () => whole };
/** A map with a list of each kind in it. */
const type: FieldType = {
  kind: "members",
  of: (name) => {
    if (name === "list") return { kind: "elements", keys: [{ name: "name" }], of: item };
    if (name === "set") return { kind: "set" };
    return name === "map" ? item : whole;
  },
};

const scalar = fc.integer({ min: 0, max: 3 });
const value = fc.record(
  {
    a: scalar,
    b: fc.array(scalar, { maxLength: 2 }),
    map: fc.dictionary(fc.constantFrom("x", "y"), scalar),
    set: fc.uniqueArray(scalar, { maxLength: 3 }),
    list: fc.uniqueArray(
      fc.record({ name: fc.constantFrom("p", "q", "r"), v: scalar }, { requiredKeys: ["name"] }),
      {
        selector: ({ name }) => name,
        maxLength: 3,
      },
    ),
  },
  { requiredKeys: [] },
);

describe("parts of a value", () => {
  test("a set of places is written and read in the form of the API", () => {
    fc.assert(
      fc.property(value, (each) => {
        const set = setOf(type, { at: 1, ...each });
        expect(isSameSet(fromFieldsV1(toFieldsV1(set)), set)).toBe(true);
      }),
    );
  });

  test("what is merged in is there, and differs from before in nothing else", () => {
    fc.assert(
      fc.property(value, value, (live, config) => {
        const joined = merged(type, live, config);
        expect(isSameSet(setOf(type, merged(type, joined, config)), setOf(type, joined))).toBe(true);
        const { changed } = differenceOf(type, live, joined);
        const wanted =
          Object.keys(config).length === 0 ? { isMember: true, children: new Map() } : setOf(type, config);
        expect(pathsOf(minus(changed, union(wanted, { isMember: true, children: new Map() })))).toEqual([]);
      }),
    );
  });

  test("what is taken out is gone, and nothing else", () => {
    fc.assert(
      fc.property(value, value, (live, config) => {
        fc.pre(Object.keys(config).length > 0);
        const joined = merged(type, { kept: 1, ...live }, config);
        const left = without(type, joined, minus(setOf(type, config), setOf(type, { kept: 1, ...live })));
        const { changed } = differenceOf(type, joined, left);
        expect(pathsOf(changed).filter((path) => path !== "")).toEqual([]);
        expect(Object(left).kept).toBe(1);
      }),
    );
  });

  test("equal values do not differ", () => {
    fc.assert(
      fc.property(value, (each) => {
        const { changed, removed } = differenceOf(type, each, structuredClone(each));
        expect([pathsOf(changed), pathsOf(removed)]).toEqual([[], []]);
      }),
    );
  });

  test("places are told as the reference tells them", () => {
    const set = setOf(type, { a: 1, list: [{ name: "p", v: 1 }], set: ["s"] });
    expect(pathsOf(set)).toEqual([
      ".a",
      '.list[name="p"]',
      '.list[name="p"].name',
      '.list[name="p"].v',
      '.set[="s"]',
    ]);
  });

  test("an element without its key is refused", () => {
    expect(() => setOf(type, { list: [{ v: 1 }] })).toThrow("omits key field");
  });
});

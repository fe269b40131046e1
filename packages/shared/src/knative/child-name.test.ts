import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { childName } from "./child-name.ts";

describe("childName (C-5, CV-7, W-11)", () => {
  test.each([
    { parent: "foo", suffix: "-private", want: "foo-private" },
    { parent: "f".repeat(55), suffix: "-private", want: `${"f".repeat(55)}-private` },
    {
      parent: "f".repeat(63),
      suffix: "-private",
      want: "fffffffffffffffffffffff105d7597f637e83cc711605ac3ea4957-private",
    },
    {
      parent: "a".repeat(63),
      suffix: "-00001",
      want: "aaaaaaaaaaaaaaaaaaaaaaaaab06521f39153d618550606be297466d5-00001",
    },
    {
      parent: "r".repeat(60),
      suffix: "-deployment",
      want: "rrrrrrrrrrrrrrrrrrrrfc58ac6720764672e18f97efd7ef704e-deployment",
    },
    { parent: "r".repeat(52), suffix: "-deployment", want: `${"r".repeat(52)}-deployment` },
    {
      parent: `very-long-${"x".repeat(50)}.example.com`,
      suffix: "",
      want: "very-long-xxxxxxxxxxxxxxxxxxxxxd68a302477eaa770869de319c377f015",
    },
  ])("$parent and $suffix: $want", ({ parent, suffix, want }) => {
    expect(childName(parent, suffix)).toBe(want);
  });

  test("is never longer than a DNS label, ends well, and differs for different parents", () => {
    const part = fc.stringMatching(/^[a-z][a-z0-9-]{0,80}[a-z0-9]$/);
    fc.assert(
      fc.property(part, part, fc.stringMatching(/^-[a-z0-9-]{0,70}[a-z0-9]$/), (one, other, suffix) => {
        const name = childName(one, suffix);
        expect(name.length).toBeLessThanOrEqual(63);
        expect(name).toMatch(/[a-z0-9]$/);
        if (one !== other) expect(childName(other, suffix)).not.toBe(name);
      }),
    );
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatMilli, parseMilli, parseQuantity } from "./quantity.ts";

describe("a quantity", () => {
  test.each([
    ["0", 0, 0n],
    ["2", 2, 2_000n],
    ["250m", 0.25, 250n],
    ["1.5", 1.5, 1_500n],
    [".5", 0.5, 500n],
    ["5.", 5, 5_000n],
    ["-1.5", -1.5, -1_500n],
    ["100u", 0.0001, 1n], // rounded up
    ["-100u", -0.0001, -1n],
    ["1k", 1_000, 1_000_000n],
    ["50Mi", 52_428_800, 52_428_800_000n],
    ["1E", 1e18, 10n ** 21n],
    ["1e3", 1_000, 1_000_000n],
    ["1E3", 1_000, 1_000_000n],
    ["25e-1", 2.5, 2_500n],
  ] as const)("%s is %d, in thousandths %d", (text, number, milli) => {
    expect(parseQuantity(text)).toBeCloseTo(number, 9);
    expect(parseMilli(text)).toBe(milli);
  });

  test.each(["", "m", ".", "1.2.3", "1 Gi", "1ki", "1Mib", "--1", "0x1", "1e", "NaN"])(
    "%j is none",
    (text) => {
      expect(parseQuantity(text)).toBeUndefined();
      expect(parseMilli(text)).toBeUndefined();
    },
  );

  test.each([
    ["1.5", "cpu", "1500m"],
    ["1e3", "cpu", "1000"],
    ["200Mi", "bytes", "200Mi"],
    ["1024Ki", "bytes", "1Mi"],
    ["1k", "bytes", "1000"],
  ] as const)("%s of %s is written %s", (text, resource, want) => {
    expect(formatMilli(parseMilli(text) ?? 0n, resource)).toBe(want);
  });

  test("written by us, it is read as what it was", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 18n }),
        fc.constantFrom("cpu", "bytes"),
        (milli, resource) => {
          expect(parseMilli(formatMilli(milli, resource))).toBe(milli);
        },
      ),
    );
  });
});

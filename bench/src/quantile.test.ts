import { expect, test } from "vitest";
import { result } from "./benchmark.ts";
import { quantile, spread } from "./quantile.ts";

test.each([
  { share: 0.5, value: 5 },
  { share: 0.9, value: 9 },
  { share: 0.99, value: 10 },
  { share: 0, value: 1 },
  { share: 1, value: 10 },
])("the $share quantile of 1 to 10 is $value", ({ share, value }) => {
  expect(quantile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share)).toBe(value);
});

test("a single sample is every quantile and has no spread", () => {
  expect(quantile([7], 0.99)).toBe(7);
  expect(spread([7])).toBe(0);
});

test("spread leaves outliers aside", () => {
  expect(spread([1, 2, 3, 4, 5, 6, 7, 1000])).toBe(2);
});

test("a figure beside its baseline has a ratio, one alone has none", () => {
  expect(result("p50", "ms", 30, { baseline: 20 })).toMatchObject({ value: 30, baseline: 20, ratio: 1.5 });
  expect(result("p50", "ms", 30)).toMatchObject({ spread: null, baseline: null, ratio: null });
});

import { expect, test } from "vitest";
import { contended, uncontended } from "./breaker.bench.ts";

test("the benchmarks do the work they claim", () => {
  expect(uncontended.run(uncontended.small)).toBe(uncontended.small);
  expect(contended.run(contended.small)).toBe(contended.small - 9);
});

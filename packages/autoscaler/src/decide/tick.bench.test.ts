import { expect, test } from "vitest";
import { tick } from "./tick.bench.ts";

test("the benchmark decides at every tick", () => {
  const pods = tick.run(tick.small);
  expect(pods).toBeGreaterThan(tick.small);
  expect(pods).toBeLessThan(tick.small * 10);
});

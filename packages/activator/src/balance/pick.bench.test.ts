import { expect, test } from "vitest";
import { picks } from "./pick.bench.ts";

test.each(picks)("the benchmark does the work it claims: $name", ({ run, small }) => {
  expect(run(small)).toBe(small);
});

import { expect, test } from "vitest";
import { recording, tickOfAll } from "./beat.bench.ts";

test("the benchmarks record and decide", () => {
  expect(recording.run(recording.small)).toBeGreaterThan(0);
  expect(tickOfAll.run(tickOfAll.small)).toBe(1_000);
});

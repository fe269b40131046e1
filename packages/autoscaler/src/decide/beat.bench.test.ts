import { expect, test } from "vitest";
import { recording, tick, tickOfAll } from "./beat.bench.ts";

test("the benchmarks record and decide", () => {
  expect(recording.run(recording.small)).toBeGreaterThan(0);
  expect(tickOfAll.run(tickOfAll.small)).toBe(1_000);
});

test("a busy revision is decided on at every tick", () => {
  const pods = tick.run(tick.small);
  expect(pods).toBeGreaterThan(tick.small);
  expect(pods).toBeLessThan(tick.small * 10);
});

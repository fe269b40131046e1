import { expect, test } from "vitest";
import { simulateHoldAndRelease } from "./hold-release.ts";

test.each(Array.from({ length: 200 }, (_, seed) => seed))(
  "A-63, A-64, A-67, A-73, A-82, A-104: no slot above, none free beside a waiter, nobody lost, no POST twice: seed %i",
  (seed) => {
    expect(simulateHoldAndRelease(seed)).toBeGreaterThan(0);
  },
);

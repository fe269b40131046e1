import fc from "fast-check";
import { expect, test } from "vitest";
import { MinHeap } from "./min-heap.ts";

test("what is due first comes first, and of two at one time the one added first", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (times) => {
      const heap = new MinHeap<readonly [at: number, order: number]>();
      for (const [order, at] of times.entries()) heap.add(at, [at, order]);
      const taken = times.map(() => heap.take());
      const sorted = times
        .map((at, order) => [at, order])
        .sort(([a = 0, i = 0], [b = 0, j = 0]) => a - b || i - j);
      expect(taken).toEqual(sorted);
      expect([heap.take(), heap.nextAt, heap.size]).toEqual([undefined, undefined, 0]);
    }),
  );
});

import { SeededRandom } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { FreePositions } from "./free-positions.ts";

describe("free positions", () => {
  test.each([0, 1, 31, 32, 33, 1_024, 1_025, 40_000])("of %i: none at first, each can be found", (size) => {
    const free = new FreePositions(size);
    expect([free.count, free.nextFrom(0), free.nextAround(0)]).toEqual([0, -1, -1]);
    for (const position of [0, 31, 32, 1_023, 1_024, size - 1]) {
      if (position < 0 || position >= size) continue;
      free.add(position);
      free.add(position);
      expect([free.count, free.nextFrom(0), free.nextFrom(position), free.nextFrom(position + 1)]).toEqual([
        1,
        position,
        position,
        -1,
      ]);
      free.delete(position);
      free.delete(position);
      expect(free.nextFrom(0)).toBe(-1);
    }
  });

  test.each(Array.from({ length: 20 }, (_, seed) => seed))(
    "A-133: agrees with a plain set: seed %i",
    (seed) => {
      const random = new SeededRandom(seed);
      const size = random.integer(1, 3_000);
      const free = new FreePositions(size);
      const plain = new Set<number>();
      for (let step = 0; step < 500; step++) {
        const position = random.integer(0, size - 1);
        if (random.chance(0.5)) {
          free.add(position);
          plain.add(position);
        } else {
          free.delete(position);
          plain.delete(position);
        }
        const from = random.integer(0, size);
        const after = [...plain].filter((each) => each >= from);
        const first = after.length === 0 ? -1 : Math.min(...after);
        expect([free.count, free.nextFrom(from), free.has(position)]).toEqual([
          plain.size,
          first,
          plain.has(position),
        ]);
        expect(free.nextAround(from)).toBe(first < 0 && plain.size > 0 ? Math.min(...plain) : first);
      }
    },
  );
});

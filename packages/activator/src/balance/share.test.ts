import { describe, expect, test } from "vitest";
import { shareOf } from "./share.ts";

const pods = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const place = (index: number, of: number) => ({ kind: "known", index, of }) as const;

describe("A-77, A-78", () => {
  test.each([
    {
      count: 10,
      of: 3,
      want: [
        [0, 1, 2, 9],
        [3, 4, 5],
        [6, 7, 8],
      ],
    },
    {
      count: 5,
      of: 2,
      want: [
        [0, 1, 4],
        [2, 3],
      ],
    },
    { count: 6, of: 4, want: [[0, 4], [1, 5], [2], [3]] },
    {
      count: 24,
      of: 5,
      want: [0, 1, 2, 3, 4].map((k) => [0, 1, 2, 3].map((i) => 4 * k + i).concat(k < 4 ? [20 + k] : [])),
    },
    { count: 3, of: 5, want: [[0], [1], [2], [0], [1]] },
    { count: 150, of: 5, want: [0, 1, 2, 3, 4].map((k) => pods(30).map((i) => 30 * k + i)) },
  ])("$count pods among $of activators", ({ count, of, want }) => {
    expect(pods(of).map((index) => shareOf(pods(count), place(index, of)))).toEqual(want);
  });

  test.each([
    { count: 7, why: "nobody knows the place", at: { kind: "unknown" } as const },
    { count: 1, why: "there is one pod", at: place(1, 3) },
    { count: 7, why: "there is one activator", at: place(0, 1) },
    { count: 0, why: "there is none", at: place(1, 2) },
  ])("all of $count pods when $why", ({ count, at }) => {
    expect(shareOf(pods(count), at)).toEqual(pods(count));
  });

  test("every pod is somebody's, and nobody's twice, while there are enough", () => {
    for (let count = 2; count < 40; count++) {
      for (let of = 1; of <= count; of++) {
        const shares = pods(of).flatMap((index) => shareOf(pods(count), place(index, of)));
        expect(shares.toSorted((a, b) => a - b)).toEqual(pods(count));
      }
    }
  });
});

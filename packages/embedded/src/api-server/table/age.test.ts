import { rfc3339, type WallMs } from "@rouse/shared";
import { expect, test } from "vitest";
import { ageOf } from "./age.ts";

const NOW = 1_700_000_000_000 as WallMs;

test.each([
  { seconds: 5, age: "5s" },
  { seconds: 119, age: "119s" },
  { seconds: 200, age: "3m20s" },
  { seconds: 600, age: "10m" },
  { seconds: 4 * 3_600, age: "4h" },
  { seconds: 2 * 86_400, age: "2d" },
  { seconds: -10, age: "0s" },
])("$seconds seconds are $age (P-121)", ({ seconds, age }) => {
  expect(ageOf(rfc3339((NOW - seconds * 1_000) as WallMs), NOW)).toBe(age);
});

test("without a time the age is unknown (P-121)", () => {
  expect(ageOf(undefined, NOW)).toBe("<unknown>");
});

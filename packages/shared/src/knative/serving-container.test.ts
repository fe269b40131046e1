import { expect, test } from "vitest";
import { servingIndex } from "./serving-container.ts";

test.each([
  { containers: [{}], want: 0 },
  { containers: [{}, { ports: [{ containerPort: 80 }] }], want: 1 },
  { containers: [{ ports: [] }, { ports: [80] }, { ports: [81] }], want: 1 },
  { containers: [{}, {}], want: -1 },
])("C-39: of $containers the one at $want serves", ({ containers, want }) => {
  expect(servingIndex(containers)).toBe(want);
});

import { expect, test } from "vitest";
import { expandVariables } from "./expand-variables.ts";

const variables = new Map([
  ["A", "1"],
  ["B", "$(A)"],
  ["EMPTY", ""],
]);

test.each([
  { text: "plain", want: "plain" },
  { text: "$(A)", want: "1" },
  { text: "x$(A)y$(A)z", want: "x1y1z" },
  { text: "$(B)", want: "$(A)", why: "what was put in is not read again" },
  { text: "$(EMPTY)", want: "" },
  { text: "$(NONE)", want: "$(NONE)", why: "unknown names stay" },
  { text: "$$(A)", want: "$(A)", why: "escaped" },
  { text: "$$$(A)", want: "$1" },
  { text: "$$$$(A)", want: "$$(A)" },
  { text: "$A $[A]", want: "$A $[A]", why: "only parentheses" },
  { text: "$(A", want: "$(A" },
  { text: "$", want: "$" },
  { text: "$()", want: "$()" },
])("$text becomes $want", ({ text, want }) => {
  expect(expandVariables(text, variables)).toBe(want);
});

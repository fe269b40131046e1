import { expect, test } from "vitest";
import { configurationOf } from "../../test/stored.ts";
import { hasFailed, isReady } from "./readiness.ts";

test.each([
  { observed: 2, status: "True", want: "ready" },
  { observed: 1, status: "True", want: "neither" },
  { observed: 2, status: "False", want: "failed" },
  { observed: 1, status: "False", want: "neither" },
  { observed: 2, status: "Unknown", want: "neither" },
  { observed: undefined, status: "True", want: "neither" },
  { observed: 2, status: undefined, want: "neither" },
] as const)("C-23: generation 2, $observed observed, Ready $status: $want", ({ observed, status, want }) => {
  const object = configurationOf(
    "hello",
    { generation: 2 },
    {
      status: {
        ...(observed === undefined ? {} : { observedGeneration: observed }),
        ...(status === undefined ? {} : { conditions: [{ type: "Ready", status }] }),
      },
    },
  );
  expect([isReady(object), hasFailed(object)]).toEqual([want === "ready", want === "failed"]);
});

import { parseRfc3339 } from "@rouse/shared";
import { expect, test } from "vitest";
import { revisionOf } from "../../test/stored.ts";
import { routingPatch } from "./routing-meta.ts";

const K = "serving.knative.dev";
const now = parseRfc3339("2026-01-01T00:00:00Z");
const MODIFIED = { [`${K}/routingStateModified`]: "2026-01-01T00:00:00Z" };
const state = (value: string) => ({ [`${K}/routingState`]: value });
const routes = (value: string | null) => ({ [`${K}/routes`]: value });

test.each([
  {
    why: "taken up",
    routed: undefined,
    was: "pending",
    listed: true,
    want: { labels: state("active"), annotations: { ...routes("hello"), ...MODIFIED } },
  },
  {
    why: "taken up by a second",
    routed: "b",
    was: "active",
    listed: true,
    want: { annotations: routes("b,hello") },
  },
  { why: "already there", routed: "b,hello", was: "active", listed: true, want: undefined },
  {
    why: "left, another stays",
    routed: "b,hello",
    was: "active",
    listed: false,
    want: { annotations: routes("b") },
  },
  {
    why: "left by the last",
    routed: "hello",
    was: "active",
    listed: false,
    want: { labels: state("reserve"), annotations: { ...routes(null), ...MODIFIED } },
  },
  { why: "left twice", routed: undefined, was: "reserve", listed: false, want: undefined },
])("C-65: $why", ({ routed, was, listed, want }) => {
  if (now === undefined) throw new Error("no time");
  const revision = revisionOf("r", {
    meta: {
      labels: state(was),
      ...(routed === undefined ? {} : { annotations: { [`${K}/routes`]: routed } }),
    },
  });
  expect(routingPatch(revision, { name: "hello", isListed: listed }, { hasState: true, now })).toEqual(want);
});

test("a Configuration has routes, but no routing state", () => {
  if (now === undefined) throw new Error("no time");
  const patch = routingPatch(revisionOf("c"), { name: "hello", isListed: true }, { hasState: false, now });
  expect(patch).toEqual({ annotations: routes("hello") });
});

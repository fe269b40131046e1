import { parseRfc3339, type WallMs } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { configurationOf, revisionOf, settings, stored } from "../../test/stored.ts";
import { isUsableRevision, makeRevision, revisionName } from "./make-revision.ts";

const K = "serving.knative.dev";
const now: WallMs =
  parseRfc3339("2026-01-02T03:04:05Z") ??
  (() => {
    throw new Error("no time");
  })();
const hello = configurationOf(
  "hello",
  {
    uid: "c-1",
    labels: { [`${K}/service`]: "hello", [`${K}/serviceUID`]: "s-1" },
    annotations: { [`${K}/routes`]: "hello", [`${K}/lastModifier`]: "alice" },
  },
  {
    spec: {
      template: {
        metadata: { labels: { v: "1" }, annotations: { "autoscaling.knative.dev/min-scale": "1" } },
        spec: { containers: [{ name: "", image: "x" }] },
      },
    },
  },
);

test("CV-6, C-33: a Revision inherits from the template alone and is active under a Service", () => {
  const { metadata, spec } = makeRevision(hello, settings, now);
  expect(metadata.name).toBe("hello-00001");
  expect(metadata.labels).toEqual({
    v: "1",
    [`${K}/configuration`]: "hello",
    [`${K}/configurationGeneration`]: "1",
    [`${K}/configurationUID`]: "c-1",
    [`${K}/service`]: "hello",
    [`${K}/serviceUID`]: "s-1",
    [`${K}/routingState`]: "active",
  });
  expect(metadata.annotations).toEqual({
    "autoscaling.knative.dev/min-scale": "1",
    [`${K}/creator`]: "alice",
    [`${K}/routes`]: "hello",
    [`${K}/routingStateModified`]: "2026-01-02T03:04:05Z",
  });
  expect(metadata.ownerReferences).toEqual([expect.objectContaining({ uid: "c-1", controller: true })]);
  expect(spec.containers[0]?.name).toBe("user-container");
});

test("CV-6, C-67: that of a Configuration nobody routes to is pending", () => {
  const { metadata } = makeRevision(configurationOf("alone"), settings, now);
  expect(metadata.labels?.[`${K}/routingState`]).toBe("pending");
  expect(metadata.labels).not.toHaveProperty(`${K}/service`);
  expect(metadata.annotations).not.toHaveProperty(`${K}/routes`);
});

test.each([
  { name: "hello", generation: 1, want: "hello-00001" },
  { name: "hello", generation: 123_456, want: "hello-123456" },
  {
    name: "a".repeat(63),
    generation: 1,
    want: "aaaaaaaaaaaaaaaaaaaaaaaaab06521f39153d618550606be297466d5-00001",
  },
])("CV-6, CV-7: generation $generation of $name is $want", ({ name, generation, want }) => {
  expect(revisionName(configurationOf(name, { generation }))).toBe(want);
});

describe("C-32: a Revision found under the template's own name", () => {
  const owned = {
    ownerReferences: [{ apiVersion: "", kind: "Configuration", name: "hello", uid: "c-1", controller: true }],
  };
  const older = { ...owned, labels: { [`${K}/configurationGeneration`]: "1" } };
  const third = stored({ ...hello, metadata: { ...hello.metadata, generation: 3 } });
  test.each([
    {
      why: "of this generation",
      meta: { ...owned, labels: { [`${K}/configurationGeneration`]: "3" } },
      image: "y",
      want: true,
    },
    { why: "older, the same spec", meta: older, image: "x", want: true },
    { why: "older, another spec", meta: older, image: "y", want: false },
    { why: "of somebody else", meta: {}, image: "x", want: false },
  ])("$why: $want", ({ meta, image, want }) => {
    const revision = revisionOf("hello-a", {
      meta,
      spec: { containers: [{ name: "user-container", image }] },
    });
    expect(isUsableRevision(revision, third, settings)).toBe(want);
  });
});

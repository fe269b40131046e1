import { expect, test } from "vitest";
import { configurationOf, serviceOf } from "../../test/stored.ts";
import { makeConfiguration, makeRoute } from "./service-children.ts";

const SERVICE = "serving.knative.dev/service";
const authors = { "serving.knative.dev/creator": "alice", "serving.knative.dev/lastModifier": "alice" };
const hello = serviceOf("hello", {
  uid: "s-1",
  labels: { team: "a" },
  annotations: {
    note: "n",
    "serving.knative.dev/rollout-duration": "60s",
    "kubectl.kubernetes.io/last-applied-configuration": "{}",
    ...authors,
  },
});

test("CV-5: the Configuration takes labels and annotations, but for the rollout and what kubectl remembers", () => {
  const { metadata, spec } = makeConfiguration(hello, undefined);
  expect(metadata.labels).toEqual({ team: "a", [SERVICE]: "hello", "serving.knative.dev/serviceUID": "s-1" });
  expect(metadata.annotations).toEqual({ note: "n", ...authors, "serving.knative.dev/routes": "hello" });
  expect(metadata.ownerReferences).toEqual([expect.objectContaining({ uid: "s-1", controller: true })]);
  expect(spec).toEqual({ template: hello.spec.template });
});

test("C-8: routes a Configuration already has are kept, sorted", () => {
  const present = configurationOf("hello", { annotations: { "serving.knative.dev/routes": "zoo,abc" } });
  expect(makeConfiguration(hello, present).metadata.annotations?.["serving.knative.dev/routes"]).toBe(
    "abc,hello,zoo",
  );
});

test("CV-5: the Route keeps the rollout and sends everything to the newest revision", () => {
  const { metadata, spec } = makeRoute(hello);
  expect(metadata.labels).toEqual({ team: "a", [SERVICE]: "hello" });
  expect(metadata.annotations).toEqual({
    note: "n",
    "serving.knative.dev/rollout-duration": "60s",
    ...authors,
  });
  expect(spec.traffic).toEqual([{ configurationName: "hello", latestRevision: true, percent: 100 }]);
});

test("C-26: entries naming a revision go to it, the others to the Service's Configuration", () => {
  const traffic = [
    { revisionName: "hello-00001", percent: 90 },
    { percent: 10, tag: "next" },
  ];
  expect(makeRoute(serviceOf("hello", {}, { traffic })).spec.traffic).toEqual([
    { revisionName: "hello-00001", latestRevision: false, percent: 90 },
    { configurationName: "hello", latestRevision: true, percent: 10, tag: "next" },
  ]);
});

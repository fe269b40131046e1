import { labels, type Revision, RevisionKind, type Route, RouteKind, type Stored } from "@rouse/shared";
import { expect, test } from "vitest";
import { RouteMentions } from "./route-mentions.ts";

const meta = (name: string, more: object = {}) => ({
  name,
  namespace: "default",
  uid: name,
  resourceVersion: "2",
  generation: 1,
  creationTimestamp: "2026-01-01T00:00:00Z",
  ...more,
});
const route = (name: string, traffic: Route["spec"]["traffic"] = []): Stored<Route> => ({
  apiVersion: "serving.knative.dev/v1",
  kind: RouteKind.kind,
  metadata: meta(name),
  spec: { traffic },
});
const revision = (name: string, configuration: string): Stored<Revision> => ({
  apiVersion: "serving.knative.dev/v1",
  kind: RevisionKind.kind,
  metadata: meta(name, { labels: { [labels.configuration]: configuration } }),
  spec: { containers: [] },
});

test("a Revision concerns the Routes that name it and those that name its Configuration", () => {
  const mentions = new RouteMentions();
  mentions.show(route("by-name", [{ revisionName: "hello-00001", percent: 100 }]));
  mentions.show(route("latest", [{ configurationName: "hello", percent: 100 }]));
  mentions.show(route("other", [{ configurationName: "world", percent: 100 }]));
  expect([...mentions.of("revision", revision("hello-00001", "hello"))].sort()).toEqual([
    "default/by-name",
    "default/latest",
  ]);
});

test("what a Route no longer names concerns it no more, nor does anything once it is gone", () => {
  const mentions = new RouteMentions();
  mentions.show(route("hello", [{ revisionName: "hello-00001", percent: 100 }]));
  mentions.show(route("hello", [{ revisionName: "hello-00002", percent: 100 }]));
  expect([...mentions.of("revision", revision("hello-00001", "hello"))]).toEqual([]);
  expect([...mentions.of("revision", revision("hello-00002", "hello"))]).toEqual(["default/hello"]);
  mentions.hide(route("hello"));
  expect([...mentions.of("revision", revision("hello-00002", "hello"))]).toEqual([]);
});

import {
  type AnyObject,
  type ConfigMap,
  ConfigMapKind,
  KnativeServiceKind,
  NamespaceKind,
  ObjectStore,
  SeededRandom,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { ServingAdmission } from "../admission/serving-admission.ts";
import { LiveSettings } from "./live-settings.ts";

function setup(): { readonly store: ObjectStore; readonly following: Disposable } {
  const clock = new VirtualClock();
  const settings = new LiveSettings();
  const admission = new ServingAdmission(() => settings.current);
  const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1), admission });
  return { store, following: settings.follow(store) };
}

const service = (namespace: string, name: string): AnyObject => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { template: { spec: { containers: [{ image: "x", command: ["a"] }], timeoutSeconds: 700 } } },
});

test("C-143: in a namespace that asks for it objects are taken as they come, until it asks no more", () => {
  const { store, following } = setup();
  using _ = following;
  const labels = { "webhooks.knative.dev/exclude": "true" };
  store.create(NamespaceKind, { apiVersion: "v1", kind: "Namespace", metadata: { name: "free", labels } });
  const { metadata, spec } = store.create(KnativeServiceKind, service("free", "one"));
  expect(metadata.annotations).toBeUndefined();
  expect(spec).toEqual(service("free", "one").spec);
  expect(() => store.create(KnativeServiceKind, service("default", "one"))).toThrow("timeoutSeconds");
  const body = { metadata: { labels: { "webhooks.knative.dev/exclude": null } } };
  store.patch(NamespaceKind, { name: "free", namespace: "" }, { kind: "merge", body });
  expect(() => store.create(KnativeServiceKind, service("free", "two"))).toThrow("timeoutSeconds");
});

test("C-144, C-157: a limit that is raised holds for the next write", () => {
  const { store, following } = setup();
  using _ = following;
  const write = () => store.create(KnativeServiceKind, service("default", "one"));
  expect(write).toThrow("expected 0 <= 700 <= 600: spec.template.spec.timeoutSeconds");
  const name = "config-defaults";
  const configMap: ConfigMap = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "knative-serving" },
    data: { "max-revision-timeout-seconds": "700" },
  };
  store.create(ConfigMapKind, configMap);
  expect(write).not.toThrow();
});

import { type AnyObject, ConfigMapKind, KubeError, ObjectStore, SeededRandom } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { ServingAdmission } from "./serving-admission.ts";

const DENIED =
  'admission webhook "config.webhook.serving.knative.dev" denied the request: validation failed: ';

const configMap = (
  name: string,
  data: unknown,
  namespace = "knative-serving",
): AnyObject & { data: unknown } => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace },
  data,
});

function setup(): ObjectStore {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const store = new ObjectStore({ wall: () => clock.wall(), random, admission: new ServingAdmission() });
  for (const name of ["config-network", "config-autoscaler"]) {
    store.create(ConfigMapKind, configMap(name, {}, "default"));
  }
  return store;
}

/** What a write is refused with, without the webhook's introduction; empty if it is not. */
function refusal(write: () => unknown): string {
  try {
    write();
    return "";
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    expect([error.code, error.reason, error.message.startsWith(DENIED)]).toEqual([400, "BadRequest", true]);
    return error.message.slice(DENIED.length);
  }
}

describe("C-156: a ConfigMap that would not be read is not stored", () => {
  test.each([
    { name: "config-autoscaler", data: { "stable-window": "1s" }, want: "stable-window" },
    { name: "config-autoscaler", data: { "initial-scale": "few" }, want: "initial-scale" },
    {
      name: "config-defaults",
      data: { "container-concurrency": "6", "container-concurrency-max-limit": "5" },
      want: "container-concurrency",
    },
    { name: "config-defaults", data: { "revision-cpu-limit": "lots" }, want: "revision-cpu-limit" },
    { name: "config-deployment", data: { "digest-resolution-timeout": "0s" }, want: "digest-resolution" },
    { name: "config-deployment", data: { queueSidecarMemoryLimit: "x" }, want: "queue-sidecar-memory-limit" },
    { name: "config-domain", data: { "example.com": "what" }, want: "example.com" },
    { name: "config-gc", data: { "min-non-active-revisions": "-1" }, want: "min-non-active-revisions" },
    { name: "config-network", data: { "domain-template": "{{.Nmae}}.x" }, want: "domain-template" },
    { name: "config-network", data: { "domain-template": "a/{{.Name}}" }, want: "gives no host" },
    { name: "config-network", data: { "tag-template": "{{if .Tag}}" }, want: "tag-template" },
    { name: "config-network", data: { "system-internal-tls": "on" }, want: "system-internal-tls" },
    { name: "config-network", data: { "enable-mesh-pod-addressability": "so" }, want: "enable-mesh" },
  ])("$name $data", ({ name, data, want }) => {
    const store = setup();
    expect(refusal(() => store.create(ConfigMapKind, configMap(name, data)))).toContain(want);
    const before = store.create(ConfigMapKind, configMap(name, {}));
    const ref = { namespace: "knative-serving", name };
    expect(refusal(() => store.patch(ConfigMapKind, ref, { kind: "merge", body: { data } }))).toContain(want);
    expect(store.find(ConfigMapKind, ref)).toEqual(before);
  });

  test.each([
    configMap("config-features", { "multi-container": "perhaps" }), // flags fall back one by one (C-154)
    configMap("config-network", {
      "unknown-key": "1",
      "domain-template": '{{ index .Labels "a" }}{{.Name}}.b',
    }),
    configMap("config-logging", { "zap-logger-config": "{" }),
    configMap("mine", { "initial-scale": "few" }),
    configMap("config-gc", { "min-non-active-revisions": "-1" }, "default"),
    configMap("config-domain", undefined),
  ])("$metadata.name $data is nobody's business, or right", (object) => {
    expect(refusal(() => setup().create(ConfigMapKind, object))).toBe("");
  });
});

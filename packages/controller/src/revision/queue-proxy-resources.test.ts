import type { Container } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { stored } from "../../test/stored.ts";
import { defaultSettings, readers } from "../settings/settings.ts";
import { queueProxyResources } from "./queue-proxy-resources.ts";

const PREFIX = "queue.sidecar.serving.knative.dev/";

function resources(
  annotations: Record<string, string>,
  of: Container["resources"] = {},
  settings = defaultSettings(),
) {
  const revision = stored({
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: { name: "r", namespace: "ns", annotations },
    spec: { containers: [{ name: "user-container", resources: of }] },
  });
  return queueProxyResources(revision, settings);
}

describe("C-55, CV-12, Q-166, Q-167: resources of queue-proxy", () => {
  test.each([
    { why: "nothing said", annotations: {}, of: {}, want: { requests: { cpu: "25m" } } },
    {
      why: "a share, clamped, of what the user's container has",
      annotations: { [`${PREFIX}resource-percentage`]: "20" },
      of: { limits: { cpu: "2" }, requests: { memory: "2Gi" } },
      want: { requests: { cpu: "25m", memory: "200Mi" }, limits: { cpu: "400m" } },
    },
    {
      why: "never less than the least",
      annotations: { [`${PREFIX}resourcePercentage`]: "0.2" },
      of: { requests: { cpu: "50m" } },
      want: { requests: { cpu: "25m" } },
    },
    {
      why: "an annotation beats both",
      annotations: { [`${PREFIX}resource-percentage`]: "20", [`${PREFIX}cpu-resource-request`]: "1" },
      of: { requests: { cpu: "4" } },
      want: { requests: { cpu: "1" } },
    },
    {
      why: "a percentage out of bounds counts as none",
      annotations: { [`${PREFIX}resource-percentage`]: "200" },
      of: { requests: { cpu: "4" } },
      want: { requests: { cpu: "25m" } },
    },
  ])("$why", ({ annotations, of, want }) => {
    expect(resources(annotations as Record<string, string>, of)).toEqual(want);
  });

  test("the ConfigMap overrides the feature's defaults", () => {
    const settings = {
      ...defaultSettings(),
      ...readers["config-features"]({ "queueproxy.resource-defaults": "enabled" }),
      ...readers["config-deployment"]({ "queue-sidecar-memory-limit": "1Gi" }),
    };
    expect(resources({}, {}, settings)).toEqual({
      requests: { cpu: "25m", memory: "400Mi" },
      limits: { cpu: "1", memory: "1Gi" },
    });
  });

  test("a quantity that is none refuses config-deployment", () => {
    expect(() => readers["config-deployment"]({ "queue-sidecar-cpu-limit": "much" })).toThrow("quantity");
  });
});

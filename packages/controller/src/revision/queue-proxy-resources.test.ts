import type { Container } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { stored } from "../../test/stored.ts";
import { defaultSettings, readers } from "../settings/settings.ts";
import { formatMilli, parseMilli } from "./quantity.ts";
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

test.each([
  ["2", 2_000n, "2"],
  ["400m", 400n, "400m"],
  ["1.5", 1_500n, "1500m"],
  ["0.1m", 1n, "1m"],
  ["1e3", 1_000_000n, "1000"],
  ["25u", 1n, "1m"],
  ["-3", -3_000n, "-3"],
] as const)("quantity %s is %s thousandths, written %s", (text, milli, cpu) => {
  expect(parseMilli(text)).toBe(milli);
  expect(formatMilli(milli, "cpu")).toBe(cpu);
});

test.each([
  ["200Mi", "200Mi"],
  ["1024Ki", "1Mi"],
  ["1k", "1000"],
])("%s of memory is %s", (text, want) => {
  expect(formatMilli(parseMilli(text) ?? 0n, "bytes")).toBe(want);
});

test.each(["", "x", "1 Gi", "1GiB", "1.", "--1"])("%s is no quantity", (text) => {
  expect(parseMilli(text)).toBeUndefined();
});

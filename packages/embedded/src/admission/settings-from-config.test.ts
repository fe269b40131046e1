import { describe, expect, test } from "vitest";
import { defaultSettings } from "./settings.ts";
import { type ConfigMaps, readSettings } from "./settings-from-config.ts";

const read = (maps: Partial<ConfigMaps>) =>
  readSettings({ defaults: {}, features: {}, autoscaler: {}, ...maps });

describe("admission's settings (C-157)", () => {
  test("without config maps are the defaults", () => {
    expect(read({})).toEqual(defaultSettings);
  });

  test("take what is given", () => {
    const settings = read({
      defaults: {
        "revision-timeout-seconds": "100",
        "container-concurrency-max-limit": "5",
        "enable-service-links": "default",
        "revision-cpu-request": "100m",
        "revision-ephemeral-storage-limit": "1Gi",
      },
      features: {
        "kubernetes.podspec-nodeselector": "Enabled",
        "multi-container": "disabled",
        "secure-pod-defaults": "AllowRootBounded",
        unknown: "what",
      },
      autoscaler: { "allow-zero-initial-scale": "false", "max-scale-limit": "7" },
    });
    expect(settings).toMatchObject({
      revisionTimeoutSeconds: 100,
      responseStartTimeoutSeconds: 100,
      containerConcurrencyMax: 5,
      enableServiceLinks: undefined,
      resources: { requests: { cpu: "100m" }, limits: { "ephemeral-storage": "1Gi" } },
      securePodDefaults: "allowrootbounded",
      autoscaling: { allowZeroInitialScale: false, maxScaleLimit: 7 },
    });
    expect([...settings.features].sort()).toEqual(["podspec-nodeselector", "podspec-volumes-emptydir"]);
  });

  test.each([
    ["enabled", true],
    ["Allowed", true],
    ["DISABLED", false],
    ["perhaps", true], // its default
  ])("C-154: a feature that is %s: %s", (value, want) => {
    const { features } = read({ features: { "multi-container": value } });
    expect(features.has("multi-container")).toBe(want);
  });

  test.each([
    { "revision-timeout-seconds": "soon" },
    { "revision-timeout-seconds": "700" },
    { "revision-idle-timeout-seconds": "301" },
    { "container-concurrency-max-limit": "0" },
    { "container-concurrency": "1001" },
    { "revision-memory-limit": "much" },
  ])("%j makes the whole config map count for nothing", (defaults) => {
    expect(read({ defaults: { ...defaults, "allow-container-concurrency-zero": "false" } })).toEqual(
      defaultSettings,
    );
  });
});

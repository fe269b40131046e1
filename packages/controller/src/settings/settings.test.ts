import { describe, expect, test } from "vitest";
import { parseDomains } from "./domains.ts";
import { SettingsError } from "./read-value.ts";
import { defaultSettings, readers, type SettingsName } from "./settings.ts";

test("empty ConfigMaps are the defaults", () => {
  const read = Object.values(readers).map((reader) => reader({}));
  expect(Object.assign({}, ...read)).toEqual(defaultSettings());
});

describe("values", () => {
  test.each([
    {
      map: "config-autoscaler",
      data: { "allow-zero-initial-scale": "TRUE", "initial-scale": "0" },
      want: { autoscaler: { initialScale: 0 } },
    },
    {
      map: "config-deployment",
      data: { progressDeadline: "2m" },
      want: { deployment: { progressDeadlineSeconds: 120 } },
    },
    {
      map: "config-defaults",
      data: { "revision-timeout-seconds": "200" },
      want: { defaults: { timeoutSeconds: 200, responseStartTimeoutSeconds: 200 } },
    },
    {
      map: "config-network",
      data: { "http-protocol": "Redirected", "ingress.class": "mine" },
      want: { network: { httpOption: "Redirected", ingressClass: "mine" } },
    },
    {
      map: "config-observability",
      data: { "logging.revision-url-template": `http://logs/$${"{REVISION_UID}"}` },
      want: { observability: { revisionUrlTemplate: `http://logs/$${"{REVISION_UID}"}` } },
    },
    {
      map: "config-features",
      data: { "tag-header-based-routing": "Enabled" },
      want: { features: { routesByTagHeader: true } },
    },
    {
      map: "config-gc",
      data: { "retain-since-create-time": "Disabled", "min-non-active-revisions": "3" },
      want: { gc: { retainSinceCreateMs: undefined, nonActiveMin: 3, nonActiveMax: 1_000 } },
    },
  ] satisfies { map: SettingsName; data: Record<string, string>; want: object }[])(
    "$map $data",
    ({ map, data, want }) => {
      expect(readers[map](data)).toMatchObject(want);
    },
  );
});

describe("one bad value refuses its whole ConfigMap", () => {
  test.each([
    { map: "config-autoscaler", data: { "initial-scale": "0" } },
    { map: "config-autoscaler", data: { "allow-zero-initial-scale": "perhaps" } },
    { map: "config-deployment", data: { "progress-deadline": "1500ms" } },
    { map: "config-deployment", data: { "default-affinity-type": "apart" } },
    { map: "config-defaults", data: { "revision-timeout-seconds": "601" } },
    { map: "config-network", data: { "http-protocol": "gopher" } },
    { map: "config-gc", data: { "min-non-active-revisions": "5", "max-non-active-revisions": "4" } },
    { map: "config-gc", data: { "retain-since-create-time": "later" } },
    { map: "config-domain", data: { "example.com": "selector: [a]" } },
    { map: "config-domain", data: { "example.com": "matchLabels:\n  a: b" } },
  ] satisfies { map: SettingsName; data: Record<string, string> }[])("$map $data", ({ map, data }) => {
    expect(() => readers[map](data)).toThrow(SettingsError);
  });
});

test("C-157: domains are keys, their selectors two levels of YAML", () => {
  expect(
    parseDomains({
      "a.com": "",
      "b.com": "selector:\n  app: np\n  tier: 'x'\ntype: Wildcard\n",
      _example: "?",
    }),
  ).toEqual([
    { name: "a.com", selector: {} },
    { name: "b.com", selector: { app: "np", tier: "x" } },
  ]);
});

import { silentLogger } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { parseNetworkSettings } from "./network-settings.ts";

const MODE = "mesh-compatibility-mode";
const ADDRESSABLE = "enable-mesh-pod-addressability";
const TLS = "system-internal-tls";
const OLD_TLS = "internal-encryption";

describe("config-network", () => {
  test.each([
    { data: {}, want: "auto" },
    { data: { [MODE]: "auto" }, want: "auto" },
    { data: { [MODE]: "Disabled" }, want: "none" },
    { data: { [MODE]: " Enabled " }, want: "service" },
    { data: { [ADDRESSABLE]: "true" }, want: "passthrough" },
    { data: { [MODE]: "disabled", [ADDRESSABLE]: "true" }, want: "passthrough" },
    { data: { [MODE]: "enabled", [ADDRESSABLE]: "true" }, want: "passthrough" },
    { data: { [MODE]: "enabled", [ADDRESSABLE]: "false" }, want: "service" },
  ])("A-7, A-8, A-61: $data leads to pods by $want", ({ data, want }) => {
    expect(parseNetworkSettings(data as Record<string, string>, silentLogger).mesh).toBe(want);
  });

  test.each([
    { data: {}, want: false },
    { data: { [TLS]: "Enabled" }, want: true },
    { data: { [TLS]: "disabled" }, want: false },
    { data: { [OLD_TLS]: "true" }, want: true },
    { data: { [TLS]: "Disabled", [OLD_TLS]: "true" }, want: true },
  ])("A-8: with $data there is TLS: $want", ({ data, want }) => {
    expect(parseNetworkSettings(data as Record<string, string>, silentLogger).hasTls).toBe(want);
  });

  test.each([
    { data: { [MODE]: "maybe" }, want: /mesh-compatibility-mode is to be .* not "maybe"/ },
    { data: { [TLS]: "strict" }, want: /system-internal-tls is to be .* not "strict"/ },
  ])("A-8: $data is an error that says so", ({ data, want }) => {
    expect(() => parseNetworkSettings(data as Record<string, string>, silentLogger)).toThrow(want);
  });
});

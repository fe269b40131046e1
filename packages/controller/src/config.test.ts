import { describe, expect, test } from "vitest";
import { parseConfig } from "./config.ts";

const pod = { POD_NAME: "controller-1", POD_IP: "10.0.0.1" };

test("name and address are enough: then everything runs, on the usual ports", () => {
  expect(parseConfig(pod)).toEqual({
    identity: { podName: "controller-1", podIp: "10.0.0.1" },
    parts: new Set(["serverlessservice", "adoption", "webhook"]),
    ip: undefined,
    adminPort: 9090,
    webhookPort: 8443,
    webhookService: "rouse-webhook",
    endpointsSource: { kind: "endpoints" },
  });
});

describe("ROUSE_CONTROLLERS", () => {
  test("switches each part alone", () => {
    expect(parseConfig({ ...pod, ROUSE_CONTROLLERS: "serverlessservice" }).parts).toEqual(
      new Set(["serverlessservice"]),
    );
    expect(parseConfig({ ...pod, ROUSE_CONTROLLERS: "adoption, webhook" }).parts).toEqual(
      new Set(["adoption", "webhook"]),
    );
  });

  test("with a word nobody knows is refused", () => {
    expect(() => parseConfig({ ...pod, ROUSE_CONTROLLERS: "sks" })).toThrow(
      '"sks" is none of serverlessservice',
    );
  });
});

test("everything that is wrong is said at once", () => {
  expect(() => parseConfig({ ROUSE_ADMIN_PORT: "x", SYSTEM_NAMESPACE: "other" })).toThrow(
    "SYSTEM_NAMESPACE must be knative-serving; POD_NAME is missing; POD_IP is missing; ROUSE_ADMIN_PORT must be a port",
  );
});

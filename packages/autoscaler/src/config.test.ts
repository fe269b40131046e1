import { describe, expect, test } from "vitest";
import { parseConfig } from "./config.ts";

const pod = { POD_NAME: "autoscaler-1", POD_IP: "10.0.0.1" };

test("S-131, S-143: in a pod the ports are those of the contract, and name and address are needed", () => {
  expect(parseConfig(pod)).toEqual({
    membership: { kind: "leases", podName: "autoscaler-1", podIp: "10.0.0.1" },
    clusterDomain: "cluster.local",
    ip: undefined,
    statPort: 8080,
    metricsPort: 9090,
    endpointsSource: { kind: "endpoints" },
  });
  expect(() => parseConfig({ POD_IP: "" })).toThrow("POD_NAME is missing; POD_IP is missing");
});

describe("S-140: a StatefulSet", () => {
  const set = { STATEFUL_CONTROLLER_ORDINAL: "as-2", STATEFUL_SERVICE_NAME: "autoscaler" };

  test("is known by its two variables, and needs no name", () => {
    expect(parseConfig(set).membership).toEqual({
      kind: "ordinal",
      name: "as",
      ordinal: 2,
      service: "autoscaler",
      protocol: "http",
      port: 80,
    });
    expect(parseConfig({ ...set, STATEFUL_SERVICE_PORT: "8080" }).membership).toMatchObject({ port: 8080 });
  });

  test("with an ordinal that is none is refused", () => {
    expect(() => parseConfig({ ...set, STATEFUL_CONTROLLER_ORDINAL: "as" })).toThrow("ORDINAL");
  });
});

test("everything that is wrong is said at once", () => {
  expect(() => parseConfig({ ...pod, ROUSE_STAT_PORT: "x", ROUSE_METRICS_PORT: "70000" })).toThrow(
    "ROUSE_STAT_PORT must be a port; ROUSE_METRICS_PORT must be a port",
  );
});

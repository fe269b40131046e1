import { expect, test } from "vitest";
import { parseConfig } from "./config.ts";

const required = { POD_NAME: "activator-1", POD_IP: "10.0.0.1", SYSTEM_NAMESPACE: "knative-serving" };

test("A-4: names and defaults of the contract", () => {
  expect(parseConfig(required, undefined)).toEqual({
    kind: "config",
    config: {
      podName: "activator-1",
      podIp: "10.0.0.1",
      systemNamespace: "knative-serving",
      configMaps: { logging: "config-logging", observability: "config-observability" },
      clusterDomain: "cluster.local",
      idleConnectionsMax: 100,
      probing: { timeoutMs: 300, periodMs: 200 },
      metrics: { ip: undefined, port: 9_090, tls: undefined },
      autoscalerUrl: "ws://autoscaler.knative-serving.svc.cluster.local:8080",
      listenIp: "::",
      ports: { http: 8_012, h2c: 8_013, https: 8_112, podHttps: 8_112 },
      tls: { minVersion: "TLSv1.3", maxVersion: undefined, ciphers: undefined, curves: undefined },
      hasOldNames: false,
      hasPodAddresses: false,
      leavingMs: 45_000,
      watchesPods: false,
      revisionOrigin: "revisions",
      endpointsSource: { kind: "endpoints" },
    },
  });
});

test("A-4: everything that is wrong is told at once", () => {
  const environment = {
    SYSTEM_NAMESPACE: "x",
    PROBE_TIMEOUT: "soon",
    PROBE_FREQUENCY: "0s",
    MAX_IDLE_PROXY_CONNS_PER_HOST: "-1",
    METRICS_PROMETHEUS_PORT: "80",
    ACTIVATOR_TLS_MIN_VERSION: "1.1",
    METRICS_PROMETHEUS_TLS_CERT: "tls.crt",
  };
  const parsed = parseConfig(environment, undefined);
  expect(parsed.kind === "problems" && parsed.problems.map(({ variable }) => variable).sort()).toEqual([
    "ACTIVATOR_TLS",
    "MAX_IDLE_PROXY_CONNS_PER_HOST",
    "METRICS_PROMETHEUS_PORT",
    "METRICS_PROMETHEUS_TLS",
    "POD_IP",
    "POD_NAME",
    "PROBE_FREQUENCY",
    "PROBE_TIMEOUT",
  ]);
});

test.each([
  { env: "", file: undefined, want: "cluster.local" },
  { env: "", file: "nameserver 10.0.0.2\nsearch ns.svc.a.b svc.a.b. a.b\n", want: "a.b" },
  { env: "", file: "search example.org\n", want: "cluster.local" },
  { env: "c.d", file: "search svc.a.b\n", want: "c.d" },
  { env: "c.d", file: undefined, want: "c.d" },
])("A-16: CLUSTER_DOMAIN '$env', resolv.conf $file: $want", ({ env, file, want }) => {
  const parsed = parseConfig({ ...required, CLUSTER_DOMAIN: env }, file);
  expect(parsed.kind === "config" && parsed.config.clusterDomain).toBe(want);
});

import { silentLogger } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ConfigError } from "./config/config-error.ts";
import { completeEnvironment as complete } from "./config/testing/complete-environment.ts";
import { type Config, parseConfig, parseLogConfig } from "./config.ts";
import { resourceOf } from "./metrics/resource.ts";
import { requestLogOf } from "./program/request-log.ts";
import { drainLimitMs } from "./program/sidecar.ts";

/** All else that is read, by the sidecar itself or where what it says is used. Spec §2 */
const optional = [
  "REVISION_RESPONSE_START_TIMEOUT_SECONDS",
  "REVISION_IDLE_TIMEOUT_SECONDS",
  "ENABLE_HTTP_FULL_DUPLEX",
  "ENABLE_HTTP2_AUTO_DETECTION",
  "SERVING_SERVICE",
  "SERVING_REQUEST_LOG_TEMPLATE",
  "SERVING_ENABLE_REQUEST_LOG",
  "SERVING_ENABLE_PROBE_REQUEST_LOG",
  "SERVING_REQUEST_METRICS_BACKEND",
  "ENABLE_PROFILING",
  "POD_NAME",
  "HOSTNAME",
  "HOST_IP",
  "PROFILING_PORT",
  ...["MIN_VERSION", "MAX_VERSION", "CIPHER_SUITES", "CURVE_PREFERENCES"].flatMap((name) => [
    `QUEUE_PROXY_TLS_${name}`,
    `METRICS_PROMETHEUS_TLS_${name}`,
  ]),
  ...["HOST", "PORT", "TLS_CERT", "TLS_KEY", "TLS_CLIENT_AUTH", "TLS_CLIENT_CA_FILE"].map(
    (name) => `METRICS_PROMETHEUS_${name}`,
  ),
  "ROUSE_READY_LISTENERS",
  "ROUSE_ADMIN_CALLERS",
  "ROUSE_OLD_METRIC_NAMES",
  "ROUSE_LISTEN_IP",
  "ROUSE_CERTIFICATE_DIRECTORY",
];

const text = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom("", "0", "1", "true", "{}", "[]", "null", "65536", "-1", "9090") },
  fc.constantFrom("9223372036854775807", "1.2", "1.3", "require", "prometheus", "node", "::1", "X25519", ":"),
  fc.string(),
  fc.json(),
);
/** Mostly what it should be: one value of another kind ends the reading of its document. */
const mostly = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 15, arbitrary }, fc.jsonValue());
const port = mostly(fc.oneof(fc.nat(70_000), fc.nat(70_000).map(String)));
const handler = fc.record(
  { port, path: mostly(fc.string()), host: mostly(fc.string()), service: mostly(fc.string()) },
  { requiredKeys: [] },
);
const probe = fc.record(
  {
    ...{ httpGet: mostly(handler), tcpSocket: mostly(handler), grpc: mostly(handler), exec: fc.jsonValue() },
    ...{ periodSeconds: mostly(fc.integer()), timeoutSeconds: mostly(fc.integer()) },
    successThreshold: mostly(fc.double()),
  },
  { requiredKeys: [] },
);
const exporter = fc.record(
  {
    protocol: mostly(fc.constantFrom("prometheus", "prometheus", "grpc", "http/protobuf", "stdout", "")),
    endpoint: mostly(fc.constantFrom("", ":9091", ":80", "[::1]:9091", "collector", "http://c:4318/")),
    samplingRate: mostly(fc.double()),
    exportInterval: mostly(fc.integer()),
  },
  { requiredKeys: [] },
);
const observability = fc.record(
  {
    ...{ tracing: exporter, requestMetrics: exporter, metrics: fc.jsonValue() },
    runtime: mostly(fc.record({ profiling: mostly(fc.constantFrom("enabled", "disabled")) })),
    requestLogTemplate: mostly(fc.constantFrom("{{.Request.Method}}", "{{", "{{}}")),
    ...{ enableRequestLog: mostly(fc.boolean()), enableProbeRequestLog: mostly(fc.boolean()) },
  },
  { requiredKeys: [] },
);
const json = (value: fc.Arbitrary<unknown>): fc.Arbitrary<string> => value.map((one) => JSON.stringify(one));
const environment = fc
  .tuple(
    fc.dictionary(
      fc.constantFrom(...Object.keys(complete), ...optional),
      fc.option(text, { nil: undefined }),
      {
        maxKeys: 6,
      },
    ),
    fc.record(
      {
        SERVING_READINESS_PROBE: fc.oneof(json(fc.oneof(probe, fc.array(fc.option(probe)))), text),
        ENABLE_MULTI_CONTAINER_PROBES: fc.constantFrom("true", "false", ""),
        OBSERVABILITY_CONFIG: fc.oneof({ weight: 4, arbitrary: json(observability) }, text),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([changed, documents]) => ({ ...complete, ...changed, ...documents }));

/** What a start does with a configuration before anything listens. */
function use(config: Config): void {
  config.tlsSettings();
  resourceOf(config, "");
  requestLogOf({ clock: new VirtualClock(), log: silentLogger, write: () => {} }, config);
  expect(drainLimitMs(config.limits.timeoutMs)).not.toBeNaN();
  expect(config.adminCallers("192.0.2.1")).toBeTypeOf("boolean");
  for (const of of [config.servingPort, config.tlsPort, config.userPort, config.profilingPort]) {
    expect(Number.isInteger(of) && of >= 0 && of <= 65_535).toBe(true);
  }
  for (const { httpGet, tcpSocket, grpc } of config.readinessProbes) {
    for (const found of [httpGet, tcpSocket, grpc])
      if (found !== undefined) expect(found.port).toBeTypeOf("number");
  }
}

test("fuzz: any environment is a configuration that can be used or a complaint, and has a log to complain to", () => {
  const outcomes = new Set<string>();
  fc.assert(
    fc.property(environment, (given) => {
      expect(parseLogConfig(given).logging.level).toBeTypeOf("string");
      try {
        use(parseConfig(given));
        outcomes.add("used");
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        if (error instanceof ConfigError) outcomes.add(error.kind);
      }
    }),
    { numRuns: 1_000 },
  );
  expect(outcomes).toEqual(new Set(["used", "environment", "fatal"]));
}, 30_000);

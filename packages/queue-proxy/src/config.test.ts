import { parseLogging, tlsVariables } from "@rouse/shared";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError } from "./config/config-error.ts";
import { parseGoBool, parseGoInt } from "./config/go-values.ts";
import { parseObservability } from "./config/observability.ts";
import { parseReadinessProbes } from "./config/readiness-probes.ts";
import { completeEnvironment as complete } from "./config/testing/complete-environment.ts";
import { parseTlsSettings } from "./config/tls-settings.ts";
import { type Environment, parseConfig } from "./config.ts";

function complaint(environment: Environment): string {
  try {
    parseConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return `${error.kind}: ${error.message}`;
    throw error;
  }
  return "none";
}

describe("the table", () => {
  test("Q-11, V-13: empty texts are there, and all that is optional has its default", () => {
    expect(parseConfig(complete)).toMatchObject({
      containerConcurrency: 10,
      servingPort: 8012,
      limits: { timeoutMs: 300_000, responseStartTimeoutMs: 0, idleTimeoutMs: 0 },
      readinessProbes: [],
      detectsHttp2: false,
      configuration: "",
      service: "",
      profilingPort: 8008,
      hasOldMetrics: false,
      prometheus: undefined,
      listenIp: undefined,
      readyListeners: [],
      certificateDirectory: "/var/lib/knative/certs",
    });
  });

  test.each(Object.keys(complete))("Q-11: %s is required", (name) => {
    expect(complaint({ ...complete, [name]: undefined })).toBe(
      `environment: required key ${name} missing value`,
    );
  });

  test("Q-11: the first problem in the order of the table is the one that is said", () => {
    const environment = {
      ...complete,
      SERVING_POD: undefined,
      USER_PORT: undefined,
      CONTAINER_CONCURRENCY: "x",
    };
    expect(complaint(environment)).toContain("assigning CONTAINER_CONCURRENCY to ContainerConcurrency");
    expect(complaint({ ...environment, CONTAINER_CONCURRENCY: "1" })).toContain("required key USER_PORT");
  });

  test.each([
    ["REVISION_IDLE_TIMEOUT_SECONDS", "RevisionIdleTimeoutSeconds", "int", "ParseInt"],
    ["REVISION_RESPONSE_START_TIMEOUT_SECONDS", "RevisionResponseStartTimeoutSeconds", "int", "ParseInt"],
    ["ENABLE_HTTP_FULL_DUPLEX", "EnableHTTPFullDuplex", "bool", "ParseBool"],
    ["ENABLE_HTTP2_AUTO_DETECTION", "EnableHTTP2AutoDetection", "bool", "ParseBool"],
    ["ENABLE_MULTI_CONTAINER_PROBES", "EnableMultiContainerProbes", "bool", "ParseBool"],
  ])("Q-12, Q-70: an empty %s is no %s", (name, field, type, parser) => {
    expect(complaint({ ...complete, [name]: "" })).toBe(
      `environment: envconfig.Process: assigning ${name} to ${field}: converting '' to type ${type}. details: strconv.${parser}: parsing "": invalid syntax`,
    );
  });

  test("Q-135: telemetry takes the pod's name from POD_NAME, else from HOSTNAME", () => {
    const hostname = "x".repeat(70);
    expect(parseConfig({ ...complete, POD_NAME: "a", HOSTNAME: hostname }).telemetryPodName).toBe("a");
    expect(parseConfig({ ...complete, HOSTNAME: hostname }).telemetryPodName).toBe("x".repeat(63));
  });
});

describe("numbers and booleans as Go reads them", () => {
  test.each([
    ["010", 8],
    ["0x1F", 31],
    ["0b101", 5],
    ["0o17", 15],
    ["1_000", 1000],
    ["-5", -5],
    ["+7", 7],
    ["0", 0],
  ])("Q-12, V-13: %s is %i", (text, value) => {
    expect(parseGoInt(text)).toEqual({ kind: "value", value });
  });

  test.each(["", " 1", "1__0", "_1", "1_", "0x", "08", "1.0", "1e3", "٣"])(
    "Q-12: '%s' is no number",
    (text) => {
      expect(parseGoInt(text)).toEqual({
        kind: "fault",
        details: `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
      });
    },
  );

  test("Q-12: what does not fit 64 bits is out of range", () => {
    expect(parseGoInt("9223372036854775808")).toMatchObject({
      details: expect.stringContaining("out of range"),
    });
  });

  test("Q-12: fuzz: every number in every notation is read as itself", () => {
    const radix = fc.constantFrom(["", 10], ["0x", 16], ["0b", 2], ["0o", 8], ["-", 10]);
    fc.assert(
      fc.property(fc.nat(), radix, (number, [prefix, base]) => {
        const text = `${prefix}${number.toString(Number(base))}`;
        const value = prefix === "-" ? 0 - number : number;
        expect(parseGoInt(text)).toEqual({ kind: "value", value });
      }),
    );
  });

  test.each(["1", "t", "T", "TRUE", "true", "True"])("Q-12: %s is true", (text) => {
    expect(parseGoBool(text)).toEqual({ kind: "value", value: true });
  });

  test.each(["", "yes", "tRUE"])("Q-12: '%s' is neither", (text) => {
    expect(parseGoBool(text).kind).toBe("fault");
  });
});

describe("observability", () => {
  test("Q-15: defaults, empty objects and other keys", () => {
    const defaults = parseObservability("");
    expect(
      parseObservability(
        '{"tracing":{},"metrics":{},"runtime":{},"requestMetrics":{},"EnableVarLogCollection":true}',
      ),
    ).toEqual(defaults);
    expect(defaults).toMatchObject({
      tracing: { protocol: "none", samplingRate: 0 },
      requestMetrics: { protocol: "none", exportIntervalMs: 0 },
      isProfiling: false,
      logsRequests: false,
    });
  });

  test("Q-15: keys are found without case, intervals are nanoseconds", () => {
    const text =
      '{"REQUESTMETRICS":{"Protocol":"grpc","exportinterval":30000000000},"Runtime":{"profiling":"enabled"}}';
    expect(parseObservability(text)).toMatchObject({
      requestMetrics: { protocol: "grpc", exportIntervalMs: 30_000 },
      isProfiling: true,
    });
  });

  test("Q-14: variables of old count where there is no document, and not beside one", () => {
    const old = { ...complete, ENABLE_PROFILING: "true", SERVING_REQUEST_METRICS_BACKEND: "prometheus" };
    expect(parseConfig(old)).toMatchObject({
      hasOldMetrics: true,
      prometheus: { port: 9091 },
      observability: { isProfiling: true },
    });
    expect(parseConfig({ ...old, OBSERVABILITY_CONFIG: "{}" })).toMatchObject({
      hasOldMetrics: false,
      observability: { isProfiling: false },
    });
  });

  test("Q-15: fuzz: any JSON, and any text, is a document or a complaint", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        try {
          parseObservability(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
    );
  });
});

describe("readiness probes", () => {
  test("Q-88: numeric texts are ports, an array where one is announced", () => {
    const probe =
      '{"httpGet":{"path":"/x","port":"8081","host":"127.0.0.1","scheme":"HTTP"},"periodSeconds":3}';
    expect(parseReadinessProbes(probe, { isArray: false })).toMatchObject([
      { httpGet: { path: "/x", port: 8081 }, periodSeconds: 3 },
    ]);
    expect(parseReadinessProbes(`[${probe},null,{"grpc":{"port":9}}]`, { isArray: true })).toMatchObject([
      { httpGet: {} },
      { grpc: { port: 9, service: "" } },
    ]);
  });

  test("Q-102: null is no probe (E-15)", () => {
    expect(parseReadinessProbes("null", { isArray: false })).toEqual([]);
    expect(parseReadinessProbes("[null]", { isArray: true })).toEqual([]);
  });

  test.each([
    "{",
    "[]",
    "1",
    '{"tcpSocket":{"port":"http"}}',
    '{"tcpSocket":{"port":70000}}',
    '{"httpGet":[]}',
  ])("Q-88: %s is fatal", (text) => {
    expect(() => parseReadinessProbes(text, { isArray: false })).toThrow(ConfigError);
  });

  test("Q-88: fuzz: any JSON is probes or a complaint", () => {
    const handler = fc.record({ port: fc.jsonValue(), path: fc.jsonValue(), host: fc.jsonValue() });
    const probe = fc.record(
      { httpGet: handler, tcpSocket: handler, grpc: handler, periodSeconds: fc.jsonValue() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          probe.map((one) => JSON.stringify(one)),
        ),
        fc.boolean(),
        (text, isArray) => {
          try {
            parseReadinessProbes(text, { isArray });
          } catch (error) {
            expect(error).toBeInstanceOf(ConfigError);
          }
        },
      ),
    );
  });
});

describe("TLS", () => {
  const names = tlsVariables("QUEUE_PROXY_TLS");
  const read = (values: Record<string, string>) => (name: string) =>
    values[name.slice("QUEUE_PROXY_TLS_".length)] ?? "";

  test("Q-160: 1.3 unless told, lists with spaces and empty items", () => {
    expect(parseTlsSettings(read({}), names)).toMatchObject({ minVersion: "TLSv1.3", ciphers: undefined });
    const told = {
      MIN_VERSION: "1.2",
      CIPHER_SUITES: " TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, ,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
      CURVE_PREFERENCES: "X25519,CurveP256",
    };
    expect(parseTlsSettings(read(told), names)).toEqual({
      minVersion: "TLSv1.2",
      maxVersion: undefined,
      ciphers: "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384",
      curves: "X25519:P-256",
    });
  });

  test.each([
    { MIN_VERSION: "1.1" },
    { MAX_VERSION: "2" },
    { CIPHER_SUITES: "TLS_RSA_WITH_RC4_128_SHA" },
    { CIPHER_SUITES: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
    { CURVE_PREFERENCES: "P-224" },
  ])("Q-160: %j is fatal", (values) => {
    expect(() => parseTlsSettings(read(values as Record<string, string>), names)).toThrow(ConfigError);
  });

  test.each([
    { METRICS_PROMETHEUS_TLS_CERT: "/c" },
    {
      METRICS_PROMETHEUS_TLS_CERT: "/c",
      METRICS_PROMETHEUS_TLS_KEY: "/k",
      METRICS_PROMETHEUS_TLS_CLIENT_AUTH: "maybe",
    },
    {
      METRICS_PROMETHEUS_TLS_CERT: "/c",
      METRICS_PROMETHEUS_TLS_KEY: "/k",
      METRICS_PROMETHEUS_TLS_CLIENT_AUTH: "require",
    },
    { METRICS_PROMETHEUS_PORT: "80" },
  ])("Q-137: %j is fatal", (values) => {
    const OBSERVABILITY_CONFIG = '{"requestMetrics":{"protocol":"prometheus"}}';
    expect(complaint({ ...complete, OBSERVABILITY_CONFIG, ...values })).toMatch(/^fatal: /);
  });
});

describe("the process log's configuration", () => {
  test("Q-142: level, output and key names are honoured, and zap's way of leaving out", () => {
    const config = JSON.stringify({
      level: "warn",
      outputPaths: ["stdout"],
      encoderConfig: {
        messageKey: "msg",
        levelKey: "lvl",
        timeKey: "ts",
        levelEncoder: "lowercase",
        timeEncoder: "iso8601",
      },
    });
    expect(parseLogging(config, "")).toMatchObject({
      level: "warn",
      output: "stdout",
      keys: { message: "msg", level: "lvl", time: "ts", caller: "" },
      levelStyle: "lowercase",
      timeStyle: "iso8601",
    });
  });

  test("Q-142: the level of the revision goes over it, unless it is none; nonsense is a complaint and no more", () => {
    expect(parseLogging("", "debug").level).toBe("debug");
    expect(parseLogging("", "loud").level).toBe("info");
    expect(parseLogging("{", "")).toMatchObject({
      level: "info",
      complaint: expect.stringContaining("Failed to parse"),
    });
  });
});

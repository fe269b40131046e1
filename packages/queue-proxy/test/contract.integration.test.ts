import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeStat } from "@rouse/shared";
import { CERTIFICATE_A } from "@rouse/shared/testing";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { call } from "./client.ts";
import { program } from "./program.ts";
import { buildEntryPoint, HEALTH, healthByHttp2, ownIp, SidecarProcess } from "./sidecar.ts";

beforeAll(buildEntryPoint, 60_000);

test("Q-3: the port that is named is opened and the other is not; kubelet's HTTP/1.1 and HTTP/2 are served on it", async () => {
  await using sidecar = new SidecarProcess({ QUEUE_SERVING_PORT: "8013" });
  await sidecar.listens(8013);
  expect((await call(sidecar.at(8013), { headers: HEALTH })).body).toBe("queue");
  const session = connectHttp2(`http://${sidecar.ip}:8013`);
  expect(await healthByHttp2(session)).toBe("queue");
  session.destroy(); // before its sidecar is killed
  await expect(call(sidecar.at(8012))).rejects.toThrow("ECONNREFUSED");
});

test.each([
  { port: 8012, server: /http server main:8012/ },
  { port: 8022, server: /http server admin:8022/ },
  { port: 8112, server: /tls server main :8112/ },
])(
  "Q-7: that $port is taken is said with the server's name, and ends it with 1",
  async ({ port, server }) => {
    const ip = ownIp();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(port, ip, resolve));
    onTestFinished(() => void taken.close());
    const certificates = mkdtempSync(join(tmpdir(), "rouse-certs-"));
    onTestFinished(() => rmSync(certificates, { recursive: true }));
    writeFileSync(join(certificates, "tls.crt"), CERTIFICATE_A.cert);
    writeFileSync(join(certificates, "tls.key"), CERTIFICATE_A.key);
    await using sidecar = new SidecarProcess({ ROUSE_CERTIFICATE_DIRECTORY: certificates }, { ip });
    expect(await sidecar.exited).toBe(1);
    expect(sidecar.log.at(-1)).toMatchObject({
      severity: "EMERGENCY",
      message: expect.stringMatching(new RegExp(`${server.source}.*EADDRINUSE`)),
    });
  },
);

test("Q-5, V-10: 9090 is asked by any method and whatever is accepted; 8022 by any method", async () => {
  await using sidecar = await SidecarProcess.start();
  const asked = [
    {},
    { headers: { Accept: "something-else" } },
    { headers: { Accept: "application/protobuf" } },
    { headers: { Accept: "something/else, application/protobuf" } },
    { method: "POST" },
  ];
  for (const options of asked) {
    const answer = await call(sidecar.at(9090), { path: "/metrics", ...options });
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/protobuf"]);
    expect(decodeStat(Buffer.from(answer.body, "latin1"))?.podName).toBe("pod-1");
  }
  expect((await call(sidecar.at(8022), { path: "/wait-for-drain", method: "PUT" })).status).toBe(200);
});

test("Q-13, Q-14: with all that a stock controller of now and of old injects it starts, and serves", async () => {
  await using hello = await program((_, response) => response.end("hi"));
  await using sidecar = await SidecarProcess.start({
    USER_PORT: String(hello.port),
    ENABLE_HTTP_FULL_DUPLEX: "true",
    ENABLE_HTTP2_AUTO_DETECTION: "false",
    ENABLE_MULTI_CONTAINER_PROBES: "false",
    OBSERVABILITY_CONFIG: '{"tracing":{},"metrics":{},"runtime":{},"requestMetrics":{}}',
    QUEUE_PROXY_TLS_MIN_VERSION: "",
    QUEUE_PROXY_TLS_MAX_VERSION: "",
    QUEUE_PROXY_TLS_CIPHER_SUITES: "",
    QUEUE_PROXY_TLS_CURVE_PREFERENCES: "",
    ROOT_CA: "",
    SYSTEM_NAMESPACE: "knative-serving",
    HOST_IP: "192.0.2.1",
    SERVING_REQUEST_LOG_TEMPLATE: "{{}}",
    SERVING_ENABLE_REQUEST_LOG: "maybe",
    SERVING_ENABLE_PROBE_REQUEST_LOG: "",
    SERVING_REQUEST_METRICS_BACKEND: "opencensus",
    SERVING_REQUEST_METRICS_REPORTING_PERIOD_SECONDS: "x",
    METRICS_COLLECTOR_ADDRESS: "collector:55678",
    METRICS_DOMAIN: "knative.dev/internal/serving",
    ENABLE_PROFILING: "maybe",
    TRACING_CONFIG_BACKEND: "zipkin",
    TRACING_CONFIG_DEBUG: "true",
    TRACING_CONFIG_SAMPLE_RATE: "0.1",
    TRACING_CONFIG_ZIPKIN_ENDPOINT: "http://zipkin:9411/api/v2/spans",
    lower_case: "x",
  });
  expect((await call(sidecar.at(8012))).body).toBe("hi");
  expect(sidecar.log.filter(({ severity }) => severity !== "INFO")).toEqual([]);
});

test("Q-108: SIGINT begins the end as SIGTERM does", async () => {
  await using sidecar = await SidecarProcess.start({ REVISION_TIMEOUT_SECONDS: "2" });
  sidecar.signal("SIGINT");
  await sidecar.says("Received TERM signal");
  expect(await sidecar.exited).toBe(0);
});

test("Q-41: a client that leaves is a line where debugging is on, and no error", async () => {
  const asked = Promise.withResolvers<void>();
  await using hello = await program(() => asked.resolve());
  await using sidecar = await SidecarProcess.start({
    USER_PORT: String(hello.port),
    SERVING_LOGGING_LEVEL: "debug",
  });
  const leaving = new AbortController();
  const left = call(sidecar.at(8012), { signal: leaving.signal });
  await asked.promise;
  leaving.abort();
  await expect(left).rejects.toThrow();
  await sidecar.says("request context canceled");
  expect(sidecar.log.at(-1)).toMatchObject({ severity: "DEBUG", message: "request context canceled" });
});

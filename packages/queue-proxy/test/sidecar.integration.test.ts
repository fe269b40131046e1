import { once } from "node:events";
import { Agent, createServer as createHttpServer } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { decodeStat } from "@rouse/shared";
import { beforeAll, describe, expect, test } from "vitest";
import { call } from "./client.ts";
import { program } from "./program.ts";
import { buildEntryPoint, fetchBytes, HEALTH, ownIp, SidecarProcess, turn } from "./sidecar.ts";

beforeAll(buildEntryPoint, 60_000);

describe("the environment", () => {
  test.each(["CONTAINER_CONCURRENCY", "QUEUE_SERVING_TLS_PORT", "SERVING_POD_IP"])(
    "Q-11, V-13: without %s it ends at once, with one line",
    async (name) => {
      await using sidecar = new SidecarProcess({ [name]: undefined });
      expect(await sidecar.exited).toBe(1);
      expect(sidecar.stderr).toBe(`required key ${name} missing value\n`);
    },
  );

  test("Q-12: a number that is none ends it, with the words of the reference", async () => {
    await using sidecar = new SidecarProcess({ CONTAINER_CONCURRENCY: "" });
    expect(await sidecar.exited).toBe(1);
    expect(sidecar.stderr).toBe(
      `envconfig.Process: assigning CONTAINER_CONCURRENCY to ContainerConcurrency: converting '' to type int. details: strconv.ParseInt: parsing "": invalid syntax\n`,
    );
  });

  test.each([
    { name: "OBSERVABILITY_CONFIG", value: "{", says: "failed to parse OBSERVABILITY_CONFIG" },
    {
      name: "OBSERVABILITY_CONFIG",
      value: '{"tracing":{"protocol":"zipkin"}}',
      says: "unsupported protocol",
    },
    { name: "SERVING_READINESS_PROBE", value: "{", says: "failed to parse readiness probe" },
    {
      name: "OBSERVABILITY_CONFIG",
      value: '{"requestMetrics":{"protocol":"prometheus","endpoint":":80"}}',
      says: "prometheus port must be in 1024-65535",
    },
  ])("Q-15, Q-88, Q-137: $name=$value is fatal, and logged", async ({ name, value, says }) => {
    await using sidecar = new SidecarProcess({ [name]: value });
    expect(await sidecar.exited).toBe(1);
    const [line] = sidecar.log;
    expect(line).toMatchObject({ severity: "EMERGENCY", message: expect.stringContaining(says) });
  });

  test("Q-13, Q-14: variables of older controllers, and unknown ones, are no error", async () => {
    await using sidecar = await SidecarProcess.start({
      SERVING_REQUEST_LOG_TEMPLATE: "{{.Request.Method}}",
      SERVING_ENABLE_REQUEST_LOG: "true",
      SERVING_REQUEST_METRICS_BACKEND: "prometheus",
      SERVING_REQUEST_METRICS_REPORTING_PERIOD_SECONDS: "5",
      METRICS_COLLECTOR_ADDRESS: "",
      METRICS_DOMAIN: "knative.dev/internal/serving",
      TRACING_CONFIG_BACKEND: "none",
      TRACING_CONFIG_SAMPLE_RATE: "0.1",
      ENABLE_PROFILING: "false",
      NOBODY_KNOWS: "x",
    });
    await call(sidecar.at(8012), { method: "PUT" });
    await sidecar.says("PUT\n");
    const metrics = await call(sidecar.at(9091), { path: "/metrics" });
    expect(metrics.body).toContain('revision_request_count{namespace_name="default",service_name="hello"');
  });
});

describe("listeners", () => {
  test("Q-5: the side ports have one path each, and say 404 as Go does of all others", async () => {
    await using sidecar = await SidecarProcess.start();
    for (const [port, path] of [
      [8022, "/"],
      [8022, "/wait-for-drain/"],
      [9090, "/"],
    ] as const) {
      const answer = await call(sidecar.at(port), { path });
      expect([answer.status, answer.body]).toEqual([404, "404 page not found\n"]);
    }
  });

  test("Q-7, Q-119: a port that is taken ends it with 1, naming the server", async () => {
    const ip = ownIp();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(9090, ip, resolve));
    await using sidecar = new SidecarProcess({}, { ip });
    expect(await sidecar.exited).toBe(1);
    expect(sidecar.log.at(-1)).toMatchObject({
      severity: "EMERGENCY",
      message: expect.stringMatching(/http server metrics:9090.*EADDRINUSE/),
    });
    taken.close();
  });

  test("Q-3, Q-8, Q-143: it listens before there is a program, and says what an operator looks for", async () => {
    await using sidecar = await SidecarProcess.start({ CONTAINER_CONCURRENCY: "3" });
    const messages = sidecar.log.map(({ message }) => message);
    expect(messages).toContain("Starting queue-proxy");
    expect(messages).toContain("Starting http server main:8012");
    expect(messages).toContain("Starting http server admin:8022");
    expect(messages).toContain("Starting http server metrics:9090");
    expect(messages).toContainEqual(
      expect.stringContaining("Queue container is starting with BreakerParams = "),
    );
  });

  test("Q-141: every line has the keys of the reference", async () => {
    await using sidecar = await SidecarProcess.start();
    expect(sidecar.log[0]).toMatchObject({
      severity: "INFO",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
      logger: "queueproxy",
      caller: expect.any(String),
      "knative.dev/key": "default/hello-00001",
      "knative.dev/pod": "pod-1",
    });
  });
});

describe("probes", () => {
  test("Q-105, V-6: without a probe it is ready, whatever the program does", async () => {
    await using sidecar = await SidecarProcess.start();
    const answer = await call(sidecar.at(8012), { headers: HEALTH });
    expect([answer.status, answer.body, answer.headers["content-type"]]).toEqual([
      200,
      "queue",
      "text/plain; charset=utf-8",
    ]);
  });

  test("Q-89, Q-91, Q-106: with the default probe it is ready when the port opens, 503 before", async () => {
    const probe = { periodSeconds: 1, timeoutSeconds: 1, tcpSocket: { port: 1, host: "127.0.0.1" } };
    await using sidecar = await SidecarProcess.start({ SERVING_READINESS_PROBE: JSON.stringify(probe) });
    const answer = await call(sidecar.at(8012), { headers: HEALTH });
    expect([answer.status, answer.body]).toEqual([503, ""]);
    await using hello = await program((_, response) => response.end());
    const ready = { tcpSocket: { port: hello.port, host: "127.0.0.1" }, successThreshold: 1 };
    await using other = await SidecarProcess.start({ SERVING_READINESS_PROBE: JSON.stringify(ready) });
    expect((await call(other.at(8012), { headers: HEALTH })).body).toBe("queue");
  });

  test.each([
    { headers: { "User-Agent": "Knative-Autoscaling-Probe", "K-Network-Probe": "activator" }, status: 400 },
    { headers: { "K-Network-Probe": "probe" }, status: 400 },
    { headers: { "K-Network-Probe": "probe", "K-Network-Hash": "h" }, status: 200 },
  ])("Q-19: $headers gives $status and never reaches the program", async ({ headers, status }) => {
    let asked = 0;
    await using hello = await program((_, response) => {
      asked++;
      response.end();
    });
    await using sidecar = await SidecarProcess.start({ USER_PORT: String(hello.port) });
    expect((await call(sidecar.at(8012), { path: "/healthz", headers })).status).toBe(status);
    expect(asked).toBe(0);
  });

  test("Q-105, design 5: an activator is told when the program is ready", async () => {
    const told = Promise.withResolvers<string>();
    await using activator = await program((request, response) => {
      told.resolve(`${request.method} ${request.url} ${request.headers["user-agent"]}`);
      response.end();
    });
    await using hello = await program((_, response) => response.end());
    await using _sidecar = await SidecarProcess.start({
      ROUSE_READY_LISTENERS: `localhost:${activator.port}`,
      SERVING_READINESS_PROBE: JSON.stringify({ tcpSocket: { port: hello.port, host: "127.0.0.1" } }),
    });
    expect(await told.promise).toBe(
      "POST /rouse.dev/ready?namespace=default&revision=hello-00001&endpoint=10.0.0.1%3A8012 Rouse-Queue-Proxy",
    );
  });
});

describe("statistics", () => {
  test("Q-128, Q-130, V-10: always protobuf, and before the first report the pod's name alone", async () => {
    await using sidecar = await SidecarProcess.start();
    const { status, contentType, body } = await fetchBytes(sidecar.at(9090), "/metrics");
    expect([status, contentType]).toEqual([200, "application/protobuf"]);
    expect(decodeStat(body)?.podName).toBe("pod-1");
    expect(body.length).toBeLessThanOrEqual(336);
  });

  test("Q-20, Q-123, Q-125, Q-132: requests of a second are reported, proxied ones apart; probes are not", async () => {
    await using hello = await program((_, response) => response.end());
    await using sidecar = await SidecarProcess.start({ USER_PORT: String(hello.port) });
    const counts = { plain: 0, proxied: 0 };
    await call(sidecar.at(8012), { headers: HEALTH });
    await call(sidecar.at(8012), { headers: { "K-Kubelet-Probe": "queue" } });
    await call(sidecar.at(8012), { headers: { "K-Proxy-Request": "activator" } });
    await call(sidecar.at(8012));
    let last: Buffer | undefined;
    while (counts.plain < 2) {
      const { body } = await fetchBytes(sidecar.at(9090), "/metrics");
      if (last?.equals(body) !== true) {
        const stat = decodeStat(body);
        counts.plain += stat?.requestCount ?? 0;
        counts.proxied += stat?.proxiedRequestCount ?? 0;
        expect(stat?.podName).toBe("pod-1");
      }
      last = body;
      await turn();
    }
    expect(counts).toEqual({ plain: 2, proxied: 1 });
  });
});

describe("the end", () => {
  test("Q-108: a second signal ends it at once with 1", async () => {
    await using sidecar = await SidecarProcess.start();
    sidecar.signal("SIGTERM");
    await sidecar.says("Received TERM signal");
    sidecar.signal("SIGINT");
    expect(await sidecar.exited).toBe(1);
  });

  test("Q-109, Q-117…Q-119: probes fail at once, work and reports go on, then it ends with 0 in time", async () => {
    const held: (() => void)[] = [];
    await using hello = await program((request, response) => {
      if (request.url === "/slow") held.push(() => response.end("done"));
      else response.end("hi");
    });
    // The grace period is the revision's timeout, so here there is a second for all of it (E-10).
    await using sidecar = await SidecarProcess.start({
      USER_PORT: String(hello.port),
      REVISION_TIMEOUT_SECONDS: "2",
    });
    const slow = call(sidecar.at(8012), { path: "/slow" });
    while (held.length === 0) await turn();
    sidecar.signal("SIGTERM");
    await sidecar.says("Sleeping 30s to allow K8s propagation of non-ready state");
    const probe = await call(sidecar.at(8012), { headers: HEALTH });
    expect([probe.status, probe.body]).toEqual([503, "shutting down\n"]);
    const later = await call(sidecar.at(8012), { agent: new Agent({ keepAlive: true }) });
    expect([later.body, later.headers.connection]).toEqual(["hi", undefined]);
    expect((await fetchBytes(sidecar.at(9090), "/metrics")).status).toBe(200);
    for (const release of held) release();
    expect((await slow).body).toBe("done");
    expect(await sidecar.exited).toBe(0);
    expect(sidecar.log.at(-1)).toMatchObject({ message: "Shutdown complete, exiting..." });
  });

  test("Q-120, Q-121: near its end, the client of a WebSocket is told to go elsewhere", async () => {
    const server = createHttpServer();
    server.on("upgrade", (_, socket: Socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.on("error", () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await using sidecar = await SidecarProcess.start({
      USER_PORT: String(port),
      REVISION_TIMEOUT_SECONDS: "2",
    });
    const client = connect({ host: sidecar.ip, port: 8012 });
    client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    expect(String((await once(client, "data"))[0])).toContain("101 Switching Protocols");
    sidecar.signal("SIGTERM");
    const farewell: Buffer[] = [];
    for await (const piece of client) farewell.push(piece);
    expect(Buffer.concat(farewell).subarray(0, 4)).toEqual(Buffer.from([0x88, 0x02, 0x03, 0xe9]));
    expect(await sidecar.exited).toBe(0);
    server.closeAllConnections();
    server.close();
  });

  test("Q-112, Q-114, V-14: waiting for a drain that no signal follows lasts a second, and readiness is back", async () => {
    await using sidecar = await SidecarProcess.start();
    const waits = [1, 2].map(() => call(sidecar.at(8022), { path: "/wait-for-drain", method: "POST" }));
    await sidecar.says("Attached drain handler from user-container");
    expect((await call(sidecar.at(8012), { headers: HEALTH })).body).toBe("shutting down\n");
    for (const wait of waits) expect(await wait).toMatchObject({ status: 200, body: "" });
    expect((await call(sidecar.at(8012), { headers: HEALTH })).body).toBe("queue");
  });
});

describe("what is written down", () => {
  test("Q-144, Q-145, Q-147: the default template writes one JSON object per request, probes left out", async () => {
    await using hello = await program((_, response) => response.end("hi"));
    await using sidecar = await SidecarProcess.start({
      USER_PORT: String(hello.port),
      OBSERVABILITY_CONFIG: JSON.stringify({ enableRequestLog: true }),
    });
    await call(sidecar.at(8012), { headers: HEALTH });
    await call(sidecar.at(8012), {
      path: "/a?b='c'",
      method: "POST",
      body: "body",
      headers: {
        "User-Agent": "o'\"<agent>",
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      },
    });
    await sidecar.says("traceId");
    const lines = sidecar.stdout.trimEnd().split("\n");
    expect(lines.length).toBe(1);
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      httpRequest: {
        requestMethod: "POST",
        requestUrl: "/a?b='c'",
        requestSize: "4",
        status: 200,
        responseSize: "2",
        userAgent: "o'\"<agent>",
        remoteIp: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        serverIp: "10.0.0.1",
        referer: "",
        latency: expect.stringMatching(/^[\d.e-]+s$/),
        protocol: "HTTP/1.1",
      },
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    });
  });

  test("Q-144: probes are written where that is asked for, with their real status", async () => {
    await using sidecar = await SidecarProcess.start({
      OBSERVABILITY_CONFIG: JSON.stringify({
        enableRequestLog: true,
        enableProbeRequestLog: true,
        requestLogTemplate: "{{.Response.Code}} {{.Request.UserAgent}}",
      }),
    });
    await call(sidecar.at(8012), { headers: { ...HEALTH, "K-Network-Probe": "other" } });
    await sidecar.says("400 kube-probe/1.33\n");
  });

  test("Q-41: a request the program refused is an error with the kernel's counters", async () => {
    await using sidecar = await SidecarProcess.start({ USER_PORT: "1" });
    expect((await call(sidecar.at(8012))).status).toBe(502);
    await sidecar.says("error reverse proxying request; sockstat: ");
    expect(sidecar.log.at(-1)).toMatchObject({
      severity: "ERROR",
      error: "dial tcp 127.0.0.1:1: connect: connection refused",
    });
  });

  test("Q-133, Q-137, Q-140: metrics for Prometheus, old names where they are asked for", async () => {
    await using hello = await program((_, response) => response.end("hi"));
    await using sidecar = await SidecarProcess.start({
      USER_PORT: String(hello.port),
      CONTAINER_CONCURRENCY: "2",
      ROUSE_OLD_METRIC_NAMES: "true",
      OBSERVABILITY_CONFIG: JSON.stringify({ requestMetrics: { protocol: "prometheus" } }),
    });
    await call(sidecar.at(8012), { headers: HEALTH });
    await call(sidecar.at(8012), { headers: { Host: "hello.example", "Knative-Serving-Tag": "blue" } });
    const { body, headers } = await call(sidecar.at(9091), { path: "/metrics" });
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    for (const part of [
      'kn_serving_invocation_duration_seconds_count{http_response_status_code="200",otel_scope_name="knative.dev/serving/pkg/queue"} 1',
      'kn_serving_queue_depth{otel_scope_name="knative.dev/serving/pkg/queue"} 0',
      'http_server_request_duration_seconds_count{kn_route_tag="blue",http_request_method="GET",url_scheme="http",server_address="hello.example",network_protocol_name="http",network_protocol_version="1.1",http_response_status_code="200"',
      "http_client_request_duration_seconds_count{",
      "http_server_response_body_size_bytes_sum{",
      'target_info{service_name="hello"',
      'revision_app_request_count{namespace_name="default",service_name="hello",configuration_name="hello",revision_name="hello-00001",pod_name="pod-1",container_name="queue-proxy",response_code="200",response_code_class="2xx"} 1',
      "revision_request_latencies_bucket{",
      "revision_queue_depth{",
    ]) {
      expect(body).toContain(part);
    }
    expect((await call(sidecar.at(9091), { path: "/" })).status).toBe(404);
    expect((await call(sidecar.at(9091), { path: "/metrics", method: "POST" })).status).toBe(405);
  });
});

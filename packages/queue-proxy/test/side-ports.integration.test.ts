import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type RequestOptions, request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CERTIFICATE_A, CERTIFICATE_B } from "@rouse/shared/testing";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { call } from "./client.ts";
import { buildEntryPoint, HEALTH, ownIp, SidecarProcess } from "./sidecar.ts";

beforeAll(buildEntryPoint, 60_000);

const PROMETHEUS = JSON.stringify({ requestMetrics: { protocol: "prometheus" } });

describe("metrics for Prometheus, Q-137", () => {
  /** Files of two pairs: the server's, and a client's that is its own authority. */
  function files() {
    const path = mkdtempSync(join(tmpdir(), "rouse-metrics-"));
    onTestFinished(() => rmSync(path, { recursive: true }));
    writeFileSync(join(path, "cert"), CERTIFICATE_A.cert);
    writeFileSync(join(path, "key"), CERTIFICATE_A.key);
    writeFileSync(join(path, "ca"), CERTIFICATE_B.cert);
    return {
      METRICS_PROMETHEUS_TLS_CERT: join(path, "cert"),
      METRICS_PROMETHEUS_TLS_KEY: join(path, "key"),
      METRICS_PROMETHEUS_TLS_CLIENT_CA_FILE: join(path, "ca"),
    };
  }

  function scrape(ip: string, options: RequestOptions): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: ip, port: 9091, path: "/metrics", agent: false, rejectUnauthorized: false, ...options },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      asked.on("error", reject);
      asked.end();
    });
  }

  test.each([
    { clientAuth: undefined, stranger: 200 },
    { clientAuth: "optional", stranger: 200 },
    { clientAuth: "require", stranger: undefined },
  ])("by TLS where there is a certificate; of clients it asks for $clientAuth", async (row) => {
    await using sidecar = await SidecarProcess.start({
      OBSERVABILITY_CONFIG: PROMETHEUS,
      ...files(),
      METRICS_PROMETHEUS_TLS_CLIENT_AUTH: row.clientAuth,
    });
    await sidecar.listens(9091);
    expect(await scrape(sidecar.ip, CERTIFICATE_B)).toBe(200);
    const stranger = scrape(sidecar.ip, {});
    if (row.stranger === undefined) await expect(stranger).rejects.toThrow();
    else expect(await stranger).toBe(row.stranger);
    await expect(scrape(sidecar.ip, { maxVersion: "TLSv1.2" })).rejects.toThrow(); // 1.3 unless told
    await expect(call(sidecar.at(9091), { path: "/metrics" })).rejects.toThrow();
  });

  test("HEAD has the size alone; host and port are the endpoint's, and the environment's before those", async () => {
    const observability = { requestMetrics: { protocol: "prometheus", endpoint: "127.0.0.1:19091" } };
    const ip = ownIp();
    await using sidecar = new SidecarProcess(
      {
        OBSERVABILITY_CONFIG: JSON.stringify(observability),
        METRICS_PROMETHEUS_HOST: ip,
        METRICS_PROMETHEUS_PORT: "19092",
      },
      { ip },
    );
    await sidecar.listens(19092);
    const head = await call(sidecar.at(19092), { path: "/metrics", method: "HEAD" });
    expect([head.status, head.body]).toEqual([200, ""]);
    expect(Number(head.headers["content-length"])).toBeGreaterThan(0);
  });

  test("it is there through a drain, as what is counted then is to be read", async () => {
    await using sidecar = await SidecarProcess.start({ OBSERVABILITY_CONFIG: PROMETHEUS });
    await sidecar.listens(9091);
    sidecar.signal("SIGTERM");
    await sidecar.says("Sleeping 30s");
    expect((await call(sidecar.at(9091), { path: "/metrics" })).status).toBe(200);
  });

  test("Q-7: where the port is taken that is said, and requests are served all the same", async () => {
    const ip = ownIp();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(9091, ip, resolve));
    onTestFinished(() => void taken.close());
    await using sidecar = new SidecarProcess({ OBSERVABILITY_CONFIG: PROMETHEUS }, { ip });
    await sidecar.listens(8012);
    await sidecar.says("metrics server error: ");
    expect((await call(sidecar.at(8012), { headers: HEALTH })).body).toBe("queue");
  });

  test("Q-7, Q-137: where its certificate cannot be read that is said, and requests are served all the same", async () => {
    await using sidecar = await SidecarProcess.start({
      OBSERVABILITY_CONFIG: PROMETHEUS,
      METRICS_PROMETHEUS_TLS_CERT: "/no/such/tls.crt",
      METRICS_PROMETHEUS_TLS_KEY: "/no/such/tls.key",
    });
    await sidecar.says("metrics server error: ENOENT");
    expect((await call(sidecar.at(8012), { headers: HEALTH })).body).toBe("queue");
  });
});

describe("profiles, §1", () => {
  const PROFILING = JSON.stringify({ runtime: { profiling: "enabled" } });

  test("Q-15: one of each kind where profiling is on, at the port that is told", async () => {
    await using sidecar = await SidecarProcess.start({
      OBSERVABILITY_CONFIG: PROFILING,
      PROFILING_PORT: "18008",
    });
    await sidecar.listens(18008);
    const at = sidecar.at(18008);
    expect((await call(at, { path: "/debug/pprof/" })).body).toContain("profile?seconds=30");
    const cpu = await call(at, { path: "/debug/pprof/profile?seconds=0" });
    expect(JSON.parse(cpu.body)).toMatchObject({ nodes: expect.any(Array), startTime: expect.any(Number) });
    const heap = await call(at, { path: "/debug/pprof/heap?seconds=0" });
    expect(JSON.parse(heap.body)).toMatchObject({ head: expect.any(Object) });
    expect((await call(at, { path: "/" })).status).toBe(404);
  });

  test("Q-15: none without being asked for; Q-7: one whose port is taken ends it, naming the server", async () => {
    await using quiet = await SidecarProcess.start();
    await expect(call(quiet.at(8008), { path: "/debug/pprof/" })).rejects.toThrow("ECONNREFUSED");
    const ip = ownIp();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(8008, ip, resolve));
    onTestFinished(() => void taken.close());
    await using sidecar = new SidecarProcess({ OBSERVABILITY_CONFIG: PROFILING }, { ip });
    expect(await sidecar.exited).toBe(1);
    expect(sidecar.log.at(-1)?.message).toMatch(/http server profile:8008.*EADDRINUSE/);
  });
});

describe("the drain's port", () => {
  test.each([
    { callers: "192.0.2.1, node", host: "127.0.0.1", status: 200 },
    { callers: "192.0.2.1", host: "127.0.0.1", status: 403 },
  ])("E-12: told that $callers may ask, it answers $host with $status", async ({ callers, host, status }) => {
    await using sidecar = await SidecarProcess.start({ ROUSE_ADMIN_CALLERS: callers, HOST_IP: host });
    expect((await call(sidecar.at(8022), { path: "/wait-for-drain" })).status).toBe(status);
  });
});

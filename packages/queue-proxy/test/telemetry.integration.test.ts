import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { CERTIFICATE_A, CERTIFICATE_B } from "@rouse/shared/testing";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { call } from "./client.ts";
import { program } from "./program.ts";
import { buildEntryPoint, healthByHttp2, SidecarProcess, turn } from "./sidecar.ts";

beforeAll(buildEntryPoint, 60_000);

const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/** Takes what is sent by OTLP over HTTP, as text, in which names can be found. */
async function collector() {
  const received = new Map<string, string>();
  const server = await program((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const path = request.url ?? "";
      received.set(path, `${received.get(path) ?? ""}${Buffer.concat(pieces).toString("latin1")}`);
      response.end();
    });
  });
  const has = async (path: string, text: string): Promise<void> => {
    while (received.get(path)?.includes(text) !== true) await turn();
  };
  return { server, has, received };
}

describe("OpenTelemetry", () => {
  test("Q-150, Q-151, Q-153: spans are sent by OTLP, and the program is told the trace", async () => {
    const { server, has, received } = await collector();
    await using _server = server;
    await using hello = await program((request, response) => response.end(JSON.stringify(request.headers)));
    await using sidecar = await SidecarProcess.start({
      USER_PORT: String(hello.port),
      CONTAINER_CONCURRENCY: "1",
      REVISION_TIMEOUT_SECONDS: "2",
      OBSERVABILITY_CONFIG: JSON.stringify({
        tracing: { protocol: "http/protobuf", endpoint: `http://127.0.0.1:${server.port}`, samplingRate: 1 },
      }),
    });
    const { body } = await call(sidecar.at(8012), { headers: { traceparent: TRACEPARENT, baggage: "a=b" } });
    const seen: Record<string, string> = JSON.parse(body);
    expect(seen.traceparent).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/);
    expect(seen.traceparent).not.toBe(TRACEPARENT);
    expect(seen.baggage).toBe("a=b");
    sidecar.signal("SIGTERM"); // what is left is sent at the end
    await has("/v1/traces", "kn.queueproxy.proxy");
    const sent = received.get("/v1/traces") ?? "";
    for (const name of [
      "kn.queueproxy.wait",
      "HTTP GET",
      "kn.route.tag",
      "kn.revision.name",
      "hello-00001",
    ]) {
      expect(sent).toContain(name);
    }
    expect(await sidecar.exited).toBe(0);
  });

  test("Q-133, Q-137: metrics are pushed by OTLP at the interval, under their own names", async () => {
    const { server, has } = await collector();
    await using _server = server;
    await using hello = await program((_, response) => response.end());
    await using sidecar = await SidecarProcess.start({
      USER_PORT: String(hello.port),
      OBSERVABILITY_CONFIG: JSON.stringify({
        requestMetrics: {
          protocol: "http/protobuf",
          endpoint: `http://127.0.0.1:${server.port}`,
          exportInterval: 50_000_000,
        },
      }),
    });
    await call(sidecar.at(8012));
    await has("/v1/metrics", "kn.serving.invocation.duration");
    await has("/v1/metrics", "http.server.request.duration");
  });

  test("Q-150: with tracing off trace headers reach the program as they came", async () => {
    await using hello = await program((request, response) => response.end(request.headers.traceparent));
    await using sidecar = await SidecarProcess.start({ USER_PORT: String(hello.port) });
    const { body } = await call(sidecar.at(8012), { headers: { traceparent: TRACEPARENT } });
    expect(body).toBe(TRACEPARENT);
  });
});

describe("TLS", () => {
  function directory(certificate?: { readonly cert: string; readonly key: string }): string {
    const path = mkdtempSync(join(tmpdir(), "rouse-certs-"));
    onTestFinished(() => rmSync(path, { recursive: true }));
    if (certificate !== undefined) put(path, certificate);
    return path;
  }

  /** Both files in place, as a secret's mount swaps them. */
  function put(path: string, { cert, key }: { readonly cert: string; readonly key: string }): void {
    for (const [name, text] of [
      ["tls.key", key],
      ["tls.crt", cert],
    ] as const) {
      writeFileSync(join(path, `.${name}`), text);
      renameSync(join(path, `.${name}`), join(path, name));
    }
  }

  function handshake(ip: string, options: object = {}): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: ip, port: 8112, rejectUnauthorized: false, ...options }, () =>
        resolve(socket),
      );
      socket.on("error", reject);
    });
  }

  async function subject(ip: string): Promise<string> {
    const socket = await handshake(ip);
    const { subjectaltname = "" } = socket.getPeerCertificate();
    socket.destroy();
    return subjectaltname;
  }

  test("Q-6, Q-156, Q-160, Q-161: 8112 speaks TLS 1.3 with h2 and http/1.1, and 8012 stays plain", async () => {
    await using hello = await program((request, response) =>
      response.end(request.headers["x-forwarded-for"]),
    );
    await using sidecar = await SidecarProcess.start({
      USER_PORT: String(hello.port),
      ROUSE_CERTIFICATE_DIRECTORY: directory(CERTIFICATE_A),
    });
    await sidecar.listens(8112);
    const http1 = await handshake(sidecar.ip, { ALPNProtocols: ["http/1.1"] });
    expect([http1.getProtocol(), http1.alpnProtocol]).toEqual(["TLSv1.3", "http/1.1"]);
    http1.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let text = "";
    for await (const piece of http1) text += String(piece);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const http2 = await handshake(sidecar.ip, { ALPNProtocols: ["h2"] });
    expect(http2.alpnProtocol).toBe("h2");
    const session = connectHttp2(`https://${sidecar.ip}`, { createConnection: () => http2 });
    expect(await healthByHttp2(session)).toBe("queue");
    session.destroy();
    expect((await call(sidecar.at(8012))).status).toBe(200);
    await expect(handshake(sidecar.ip, { maxVersion: "TLSv1.2" })).rejects.toThrow();
  });

  test("Q-159, Q-163: one certificate whatever name is asked for, and the side ports stay plain beside it", async () => {
    await using sidecar = await SidecarProcess.start({
      ROUSE_CERTIFICATE_DIRECTORY: directory(CERTIFICATE_A),
    });
    await sidecar.listens(8112);
    for (const servername of ["a.example", "kn-user-default", "nobody.example"]) {
      const socket = await handshake(sidecar.ip, { servername });
      expect(socket.getPeerCertificate().subjectaltname).toContain("a.example");
      socket.destroy();
    }
    expect((await call(sidecar.at(8022), { path: "/wait-for-drain" })).status).toBe(200);
    expect((await call(sidecar.at(9090), { path: "/metrics" })).status).toBe(200);
  });

  test("Q-160: 1.2 where it is allowed", async () => {
    await using sidecar = await SidecarProcess.start({
      ROUSE_CERTIFICATE_DIRECTORY: directory(CERTIFICATE_A),
      QUEUE_PROXY_TLS_MIN_VERSION: "1.2",
    });
    await sidecar.listens(8112);
    const socket = await handshake(sidecar.ip, { maxVersion: "TLSv1.2" });
    expect(socket.getProtocol()).toBe("TLSv1.2");
    socket.destroy();
  });

  test("Q-157, Q-158: a new pair is shown to new clients, one that does not fit is not, and a first one is noticed", async () => {
    const path = directory();
    await using sidecar = await SidecarProcess.start({ ROUSE_CERTIFICATE_DIRECTORY: path });
    put(path, CERTIFICATE_A);
    await sidecar.listens(8112); // E-19
    expect(await subject(sidecar.ip)).toContain("a.example");
    writeFileSync(join(path, "tls.key"), CERTIFICATE_B.key);
    await sidecar.says("failed to reload certificate and key; the old ones stay");
    expect(await subject(sidecar.ip)).toContain("a.example");
    put(path, CERTIFICATE_B);
    await sidecar.says("Certificate and/or key have changed on disk and were reloaded.");
    expect(await subject(sidecar.ip)).toContain("b.example");
  });

  test.each([
    { why: "a pair that does not fit", pair: { cert: CERTIFICATE_A.cert, key: CERTIFICATE_B.key }, more: {} },
    { why: "no certificate at all", pair: { cert: "x", key: "y" }, more: {} },
    { why: "an unknown version", pair: CERTIFICATE_A, more: { QUEUE_PROXY_TLS_MIN_VERSION: "1.1" } },
  ])("Q-157, Q-160: $why at the start is fatal", async ({ pair, more }) => {
    await using sidecar = new SidecarProcess({ ROUSE_CERTIFICATE_DIRECTORY: directory(pair), ...more });
    expect(await sidecar.exited).toBe(1);
    expect(sidecar.log.at(-1)).toMatchObject({ severity: "EMERGENCY" });
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as ask } from "node:http";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { issueCertificate, makeAuthority } from "../certificate/make-certificate.ts";
import { RealClock } from "../clock/real-clock.ts";
import type { Family } from "./family.ts";
import { startPrometheusListener } from "./prometheus-listener.ts";

test("A-4, Q-137: metrics are served by TLS, and not to those without a certificate where one is required", async () => {
  const now = new RealClock().wall();
  const authority = makeAuthority(now);
  const own = issueCertificate(authority, { hosts: ["localhost"], now });
  const folder = mkdtempSync(join(tmpdir(), "rouse-metrics-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const files = {
    certificateFile: file("tls.crt", own.cert),
    keyFile: file("tls.key", own.key),
    clientCaFile: file("ca.crt", authority.cert),
    settings: {},
  };
  const status = async (clientAuth: "none" | "optional" | "require"): Promise<number | string> => {
    const tls = { ...files, clientAuth };
    await using server = await startPrometheusListener(() => [], { ip: "127.0.0.1", port: 0, tls });
    return await new Promise((resolve) => {
      const to = {
        host: "127.0.0.1",
        port: server.address.port,
        servername: "localhost",
        ca: authority.cert,
      };
      get({ ...to, path: "/metrics", agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).on("error", () => resolve("refused"));
    });
  };
  expect([await status("none"), await status("optional"), await status("require")]).toEqual([
    200,
    200,
    "refused",
  ]);
});

test.each([
  { method: "GET", path: "/metrics", want: [200, undefined, "process_x 1"] },
  { method: "GET", path: "/metrics?a=b", want: [200, undefined, "process_x 1"] },
  { method: "HEAD", path: "/metrics", want: [200, undefined, ""] },
  { method: "POST", path: "/metrics", want: [405, "GET, HEAD", "Method Not Allowed"] },
  { method: "GET", path: "/", want: [404, undefined, "404 page not found"] },
])("Q-137: $method $path is answered with $want", async ({ method, path, want }) => {
  const family: Family = {
    kind: "gauge",
    otelName: "",
    prometheusName: "process_x",
    help: "",
    unit: "",
    scope: "",
    read: () => [{ labels: [], value: 1 }],
  };
  const at = { ip: "127.0.0.1", port: 0, tls: undefined };
  await using server = await startPrometheusListener(() => [family], at);
  const got = await new Promise((resolve, reject) => {
    ask({ host: "127.0.0.1", port: server.address.port, method, path, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        body += piece;
      });
      response.on("end", () =>
        resolve([response.statusCode, response.headers.allow, body.trim().split("\n").at(-1)]),
      );
    })
      .on("error", reject)
      .end();
  });
  expect(got).toEqual(want);
});

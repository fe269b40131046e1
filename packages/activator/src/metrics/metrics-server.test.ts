import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueCertificate, makeAuthority, RealClock } from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { MetricsServer } from "./metrics-server.ts";

test("A-4: metrics are served by TLS, and not to those without a certificate where one is required", async () => {
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
    await using server = await MetricsServer.start(() => [], { ip: "127.0.0.1", port: 0, tls });
    return await new Promise((resolve) => {
      const to = { host: "127.0.0.1", port: server.port, servername: "localhost", ca: authority.cert };
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

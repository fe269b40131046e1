import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "../src/run.ts";
import { turn } from "./world.ts";

const required = { POD_NAME: "activator-1", POD_IP: "127.0.0.1", SYSTEM_NAMESPACE: "knative-serving" };

const loadTelemetry = () => Promise.reject(new Error("nobody asked for it"));
const CONFIG_MAPS = ["config-network", "config-logging", "config-observability"];
const configMap = (name: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { namespace: "knative-serving", name, uid: name, resourceVersion: "1" },
});

/** An API with the config maps of the contract and no other object, and which collections were asked for. */
async function emptyApi() {
  const asked = new Set<string>();
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://api");
    const plural = url.pathname.split("/").at(-1) ?? "";
    asked.add(plural);
    response.setHeader("Content-Type", "application/json");
    if (url.searchParams.has("sendInitialEvents")) {
      response.statusCode = 422;
      response.end(JSON.stringify({ kind: "Status", status: "Failure", reason: "Invalid", code: 422 }));
      return;
    }
    if (url.searchParams.get("watch") === "true" || url.searchParams.get("watch") === "1") {
      response.flushHeaders();
      return;
    }
    const items = plural === "configmaps" ? CONFIG_MAPS.map(configMap) : [];
    response.end(JSON.stringify({ kind: "List", metadata: { resourceVersion: "1" }, items }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const close = async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { asked, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}

test("A-4: an environment that makes no sense is told in full, and ends with 1", async () => {
  const lines: string[] = [];
  const codes: number[] = [];
  await run({
    environment: { POD_NAME: "a", PROBE_TIMEOUT: "0s" },
    write: (line) => lines.push(line),
    exit: (code) => codes.push(code),
    onSignal: () => {},
    loadTelemetry,
  });
  expect(lines.map((line) => JSON.parse(line).message)).toEqual([
    "SYSTEM_NAMESPACE is required",
    "POD_IP is required",
    "PROBE_TIMEOUT is to be a duration above 0, such as 200ms",
  ]);
  expect(codes).toEqual([1]);
});

test("A-5, A-10: against an API over HTTP it asks for no more than its role may, then listens; a second signal ends it", async () => {
  await using api = await emptyApi();
  const folder = mkdtempSync(join(tmpdir(), "rouse-activator-"));
  const kubeconfig = join(folder, "config");
  writeFileSync(
    kubeconfig,
    `current-context: here
contexts:
- context:
    cluster: here
  name: here
clusters:
- cluster:
    server: ${api.url}
  name: here
`,
  );
  const lines: string[] = [];
  const codes: number[] = [];
  let signal = (): void => {};
  await run({
    environment: {
      ...required,
      KUBECONFIG: kubeconfig,
      ROUSE_AUTOSCALER_URL: api.url.replace("http", "ws"),
      ROUSE_LISTEN_IP: "127.0.0.1",
      ROUSE_HTTP_PORT: "0",
      ROUSE_H2C_PORT: "0",
      METRICS_PROMETHEUS_HOST: "127.0.0.1",
      ROUSE_METRICS_PORT: "0",
      ROUSE_LEAVING: "1ms",
    },
    write: (line) => lines.push(line),
    exit: (code) => codes.push(code),
    onSignal: (end) => {
      signal = end;
    },
    loadTelemetry,
  });
  expect([...api.asked].sort()).toEqual(["", "configmaps", "endpoints", "revisions", "services"]);
  const address: string = JSON.parse(lines.at(-1) ?? "{}").address;
  const status = await new Promise<number | undefined>((resolve, reject) => {
    get(`http://${address}/`, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", reject);
  });
  expect(status).toBe(404);
  signal();
  signal();
  while (codes.length < 2) await turn();
  expect(codes).toEqual([1, 0]);
  rmSync(folder, { recursive: true });
});

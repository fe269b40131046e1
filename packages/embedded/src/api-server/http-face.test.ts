import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ObjectStore, SeededRandom, silentLogger } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { assertSocketFree, HttpFace, type Page, SocketInUseError } from "./http-face.ts";
import { ApiHandler } from "./wire/api-handler.ts";

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Call {
  readonly body?: unknown;
  readonly text?: string;
  readonly type?: string;
}

function freshSocketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "rouse-face-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "api.sock");
}

async function setUp(pages?: Readonly<Record<string, Page>>, socketPath = freshSocketPath()) {
  const clock = new VirtualClock();
  const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) });
  const podOutput = {
    lines: () => undefined,
    previous: () => undefined,
    follow: () => ({ [Symbol.dispose]: () => {} }),
  };
  const api = new ApiHandler({ store, clock, random: new SeededRandom(2), log: silentLogger, podOutput });
  const deps = { api, log: silentLogger, ...(pages === undefined ? {} : { pages }) };
  const face = await HttpFace.start(deps, { socketPath });
  onTestFinished(() => face.close());
  const call = (method: string, path: string, { body, text, type }: Call = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = type === undefined ? {} : { "Content-Type": type };
      const sent = request({ socketPath, method, path, headers }, (response) => {
        let answer = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          answer += chunk;
        });
        response.on("end", () => {
          const isJson = response.headers["content-type"] === "application/json";
          resolve({ status: response.statusCode ?? 0, body: isJson ? JSON.parse(answer) : answer });
        });
      });
      sent.on("error", reject);
      sent.end(text ?? (body === undefined ? undefined : JSON.stringify(body)));
    });
  return { face, call, socketPath };
}

const MAPS = "/api/v1/namespaces/default/configmaps";
const SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services";
const MERGE = "application/merge-patch+json";
const map = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "default", labels: { team: name } },
  data,
});

describe("verbs", () => {
  test("POST creates, GET returns what was created, with what the store fills in", async () => {
    const { call } = await setUp();
    const created = await call("POST", MAPS, { body: map("a", { x: "1" }) });
    expect(created).toMatchObject({ status: 201, body: { data: { x: "1" } } });
    const got = await call("GET", `${MAPS}/a`);
    expect(got).toEqual({ status: 200, body: created.body });
    expect(got.body).toHaveProperty("metadata.uid");
  });

  test("GET of a collection is a list with its version, in one namespace or in all (P-100)", async () => {
    const { call } = await setUp();
    await call("POST", MAPS, { body: map("a") });
    const list = { kind: "ConfigMapList", apiVersion: "v1", items: [{ metadata: { name: "a" } }] };
    expect((await call("GET", MAPS)).body).toMatchObject(list);
    expect((await call("GET", MAPS)).body).toHaveProperty("metadata.resourceVersion");
    expect((await call("GET", "/api/v1/configmaps/")).body).toMatchObject(list);
    expect((await call("GET", "/api/v1/namespaces/other/configmaps")).body).toMatchObject({ items: [] });
  });

  test("a list is cut down by labels and by name", async () => {
    const { call } = await setUp();
    for (const name of ["a", "b", "c"]) await call("POST", MAPS, { body: map(name) });
    const byLabel = await call("GET", `${MAPS}?labelSelector=${encodeURIComponent("team in (a,b),team!=a")}`);
    expect(byLabel.body).toMatchObject({ items: [{ metadata: { name: "b" } }] });
    const byName = await call("GET", `${MAPS}?fieldSelector=metadata.name%3Dc`);
    expect(byName.body).toMatchObject({ items: [{ metadata: { name: "c" } }] });
  });

  test("PUT replaces, and an old version is refused with 409", async () => {
    const { call } = await setUp();
    const { body } = await call("POST", MAPS, { body: map("a", { x: "1" }) });
    const next = { ...map("a", { y: "2" }), metadata: Object(body).metadata };
    expect((await call("PUT", `${MAPS}/a`, { body: next })).body).toMatchObject({ data: { y: "2" } });
    expect(await call("PUT", `${MAPS}/a`, { body: next })).toMatchObject({
      status: 409,
      body: { kind: "Status", reason: "Conflict" },
    });
  });

  test("PATCH merges, or follows a JSON patch, by its content type", async () => {
    const { call } = await setUp();
    await call("POST", MAPS, { body: map("a", { x: "1", y: "2" }) });
    const merged = await call("PATCH", `${MAPS}/a`, { type: MERGE, body: { data: { x: null, z: "3" } } });
    expect(merged).toMatchObject({ status: 200, body: { data: { y: "2", z: "3" } } });
    const operations = [{ op: "replace", path: "/data/y", value: "9" }];
    const patched = await call("PATCH", `${MAPS}/a`, {
      type: "application/json-patch+json",
      body: operations,
    });
    expect(patched.body).toMatchObject({ data: { y: "9", z: "3" } });
  });

  test("DELETE answers with what is gone, and a second one with 404", async () => {
    const { call } = await setUp();
    await call("POST", MAPS, { body: map("a") });
    expect(await call("DELETE", `${MAPS}/a`)).toMatchObject({ status: 200, body: { status: "Success" } });
    expect(await call("DELETE", `${MAPS}/a`)).toMatchObject({ status: 404, body: { reason: "NotFound" } });
  });

  test("status is written through its own path alone (P-70)", async () => {
    const { call } = await setUp();
    const service = {
      metadata: { name: "hello" },
      spec: { template: { spec: { containers: [{ image: "x" }] } } },
      status: { url: "http://not-this.way" },
    };
    const group = { apiVersion: "serving.knative.dev/v1", kind: "Service" };
    const created = await call("POST", SERVICES, { body: { ...group, ...service } });
    expect(created.status).toBe(201);
    expect(created.body).not.toHaveProperty("status.url");
    const patch = { type: MERGE, body: { status: { url: "http://this.way" } } };
    await call("PATCH", `${SERVICES}/hello/status`, patch);
    expect((await call("GET", `${SERVICES}/hello`)).body).toHaveProperty("status.url", "http://this.way");
  });

  test("objects of no namespace have paths without one", async () => {
    const { call } = await setUp();
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: "team" } };
    expect((await call("POST", "/api/v1/namespaces", { body })).status).toBe(201);
    expect((await call("GET", "/api/v1/namespaces/team")).body).toMatchObject({ kind: "Namespace" });
  });
});

describe("what does not work says why, as a Status (P-30)", () => {
  test.each([
    {
      why: "no such object",
      method: "GET",
      path: `${MAPS}/none`,
      status: 404,
      message: 'configmaps "none" not found',
    },
    {
      why: "no such kind",
      method: "GET",
      path: "/api/v1/namespaces/default/nothings",
      status: 404,
      message: "could not find",
    },
    {
      why: "a verb nobody knows",
      method: "POST",
      path: `${MAPS}/a`,
      status: 405,
      message: "does not allow this method",
    },
  ])("$why", async ({ method, path, status, message }) => {
    const { call } = await setUp();
    expect(await call(method, path)).toMatchObject({
      status,
      body: {
        kind: "Status",
        apiVersion: "v1",
        status: "Failure",
        code: status,
        message: expect.stringContaining(message),
      },
    });
  });

  test.each([
    { why: "no JSON", text: "{", message: "json parse error" },
    { why: "no object", text: "[]", message: "the body is no object" },
    { why: "metadata that is a list", text: '{"metadata":[]}', message: "cannot unmarshal metadata" },
    { why: "another kind", text: '{"kind":"Pod","metadata":{"name":"a"}}', message: "the object is a Pod" },
    {
      why: "another namespace",
      text: '{"metadata":{"name":"a","namespace":"b"}}',
      message: "does not match the namespace",
    },
    {
      why: "a name that is a number",
      text: '{"metadata":{"name":5}}',
      message: "cannot unmarshal metadata.name",
    },
  ])("a body with $why is a bad request", async ({ text, message }) => {
    const { call } = await setUp();
    expect(await call("POST", MAPS, { text })).toMatchObject({
      status: 400,
      body: { reason: "BadRequest", message: expect.stringContaining(message) },
    });
  });

  test.each([["/apis/none/v1/configmaps"], ["/api/v1/namespaces/%/pods"], ["/nothing"]])(
    "%s is a page nobody has (P-6)",
    async (path) => {
      const { call } = await setUp();
      expect(await call("GET", path)).toEqual({ status: 404, body: "404 page not found\n" });
    },
  );

  test("a name in the body that is not the one in the path", async () => {
    const { call } = await setUp();
    expect(await call("PUT", `${MAPS}/b`, { body: map("a") })).toMatchObject({
      status: 400,
      body: { message: "the name of the object (a) does not match the name on the URL (b)" },
    });
  });

  test("a patch of a kind nobody serves is 415, a body beyond 3 MiB is 413 (P-34, P-36)", async () => {
    const { call } = await setUp();
    const patch = { type: "application/cbor", body: {} };
    expect(await call("PATCH", `${MAPS}/a`, patch)).toMatchObject({ status: 415 });
    const text = `"${"x".repeat(3 * 1024 * 1024)}"`;
    expect(await call("POST", MAPS, { text })).toMatchObject({ status: 413 });
  });
});

describe("socket", () => {
  test("only its owner may open it", async () => {
    const { socketPath } = await setUp();
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  });

  test("one left behind by a process that was killed is taken over", async () => {
    const socketPath = freshSocketPath();
    writeFileSync(socketPath, "");
    const { call } = await setUp(undefined, socketPath);
    expect((await call("GET", MAPS)).status).toBe(200);
  });

  test("one that somebody answers on is left alone", async () => {
    const { face, socketPath } = await setUp();
    await expect(assertSocketFree(socketPath)).rejects.toThrow(SocketInUseError);
    await face.close();
    await expect(assertSocketFree(socketPath)).resolves.toBeUndefined();
  });

  test("close may be called twice", async () => {
    const { face } = await setUp();
    await face.close();
    await face.close();
  });
});

test("a page of our own is served by its path, as JSON, and knows the query", async () => {
  const { call } = await setUp({ "/rouse/timeline": (query) => [{ pod: query.get("pod") }] });
  expect(await call("GET", "/rouse/timeline?pod=a")).toEqual({ status: 200, body: [{ pod: "a" }] });
  expect((await call("POST", "/rouse/timeline")).status).toBe(404);
});

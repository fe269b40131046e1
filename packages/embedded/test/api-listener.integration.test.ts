import { request } from "node:https";
import { expect, onTestFinished, test } from "vitest";
import { serveApi } from "./support/serve-api.ts";

interface Got {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function setUp() {
  const served = await serveApi();
  onTestFinished(() => served[Symbol.asyncDispose]());
  const { port, token, ca } = served;
  const call = (
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ) =>
    new Promise<Got>((resolve, reject) => {
      const { method = "GET", body } = options;
      const headers = { Authorization: `Bearer ${token}`, ...options.headers };
      const sent = request(
        { host: "127.0.0.1", port, path, method, headers, ca, agent: false, servername: "localhost" },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
          });
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
          );
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  return { ...served, call };
}

const MAPS = "/api/v1/namespaces/default/configmaps";

test("whoever has no token or a wrong one is 401; version and health are open to all (P-19, P-20, P-21)", async () => {
  const { call } = await setUp();
  expect((await call(MAPS)).status).toBe(200);
  const wrong = await call(MAPS, { headers: { Authorization: "Bearer wrong" } });
  expect(JSON.parse(wrong.body)).toMatchObject({ kind: "Status", reason: "Unauthorized", code: 401 });
  expect((await call(MAPS, { headers: { Authorization: "" } })).status).toBe(401);
});

test("pages of other names and web pages are refused, whatever they carry (P-7)", async () => {
  const { call } = await setUp();
  expect((await call(MAPS, { headers: { Host: "evil.example.com" } })).status).toBe(403);
  expect((await call(MAPS, { headers: { Origin: "http://localhost" } })).status).toBe(403);
});

test("answers are compact JSON with a length, a newline and no caching (P-1, P-2, P-3)", async () => {
  const { call } = await setUp();
  const { body, headers } = await call(`${MAPS}?timeout=32s&unknown=1`);
  expect(body.endsWith("\n") && !body.slice(0, -1).includes("\n")).toBe(true);
  expect(headers).toMatchObject({
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-cache, private",
    "content-type": "application/json",
  });
});

test("unknown parameters, repeated and trailing slashes do not matter (P-4, P-5)", async () => {
  const { call } = await setUp();
  for (const path of [`${MAPS}?timeout=32s&nonsense=1`, `/${MAPS}/`, "/api/v1/", "/api//v1"]) {
    expect((await call(path)).status).toBe(200);
  }
});

test("no body, however wrong, is answered by anything but a Status below 500 (P-30, P-31, P-146)", async () => {
  const { call, store } = await setUp();
  const deep = `${"[".repeat(5_000)}${"]".repeat(5_000)}`;
  const bodies = [
    "",
    "null",
    "1",
    '"x"',
    "[]",
    "{",
    deep,
    '{"metadata":null}',
    '{"metadata":{"name":{}}}',
    '{"metadata":{"labels":[]}}',
    "\u0000",
    '{"metadata":{"name":"a","ownerReferences":{}}}',
    '{"metadata":{"generateName":1}}',
  ];
  const types = [
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/strategic-merge-patch+json",
    "text/plain",
  ];
  const before = store.resourceVersion;
  for (const path of [
    MAPS,
    "/apis/serving.knative.dev/v1/namespaces/default/services",
    "/api/v1/namespaces/default/pods/a/status",
    "/apis/apps/v1/namespaces/default/deployments/a/scale",
    `${MAPS}/a`,
  ]) {
    for (const method of ["POST", "PUT", "PATCH"]) {
      for (const type of types) {
        for (const body of bodies) {
          const got = await call(path, { method, headers: { "Content-Type": type }, body });
          expect(
            got.status,
            `${method} ${path} ${type} ${body.slice(0, 40)}: ${got.body}`,
          ).toBeGreaterThanOrEqual(400);
          expect(got.status, `${method} ${path} ${type} ${body.slice(0, 40)}: ${got.body}`).toBeLessThan(500);
        }
      }
    }
  }
  expect(store.resourceVersion).toBe(before);
}, 60_000);

test("a body beyond 3 MiB is 413, and the server goes on (P-36)", async () => {
  const { call } = await setUp();
  const tooLarge = await call(MAPS, { method: "POST", body: `"${"x".repeat(3 * 1024 * 1024)}"` }).catch(
    () => undefined,
  );
  if (tooLarge !== undefined) expect(tooLarge.status).toBe(413);
  expect((await call(MAPS)).status).toBe(200);
});

test("closing ends watches as their own end does, without an error (P-8)", async () => {
  const { call, [Symbol.asyncDispose]: close } = await setUp();
  const watching = call(`${MAPS}?watch=1&resourceVersion=0&allowWatchBookmarks=true`);
  await call(MAPS); // the watch, sent before, has been answered
  await close();
  const { status, body } = await watching;
  expect(status).toBe(200);
  expect(body).not.toContain("ERROR");
});

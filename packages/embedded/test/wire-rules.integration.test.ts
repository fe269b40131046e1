import { KnativeServiceKind } from "@rouse/shared";
import { expect, test } from "vitest";
import { apiInMemory, MAPS } from "./support/api-in-memory.ts";

const SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services";
const map = (name: string, more: object = {}) => ({ metadata: { name, ...more }, data: { x: "1" } });
const service = (name: string, more: object = {}) => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name, ...more },
  spec: { template: { spec: { containers: [{ image: "example.com/a:1" }] } } },
});

test("groups are always listed, OpenAPI v2 is none of ours, and there is no service account nobody made (P-14, P-18, P-24)", async () => {
  const { call } = apiInMemory();
  expect(Object(await call("GET", "/apis")).body.groups.length).toBeGreaterThan(5);
  await expect(call("GET", "/openapi/v2")).rejects.toThrow(); // plain text, not a Status
  expect((await call("GET", "/api/v1/namespaces/default/serviceaccounts/default")).status).toBe(404);
});

test("the OpenAPI index has a tag, and every document it names is there (P-15, P-16)", async () => {
  const { call } = apiInMemory();
  const { body, headers } = await call("GET", "/openapi/v3");
  expect(headers.ETag).toMatch(/^"[0-9A-F]{64}"$/);
  const places: { serverRelativeURL: string }[] = Object.values(Object(body.paths));
  expect(places.length).toBeGreaterThan(8);
  for (const { serverRelativeURL } of places) {
    expect(await call("GET", serverRelativeURL)).toMatchObject({ status: 200, body: { openapi: "3.0.0" } });
  }
});

test("a token is made for a service account that exists (P-23)", async () => {
  const { call } = apiInMemory();
  const path = "/api/v1/namespaces/default/serviceaccounts";
  expect((await call("POST", `${path}/a/token`, {})).status).toBe(404);
  await call("POST", path, { metadata: { name: "a" } });
  const made = await call("POST", `${path}/a/token`, { spec: { expirationSeconds: 60 } });
  expect(made).toMatchObject({
    status: 201,
    body: { kind: "TokenRequest", spec: { expirationSeconds: 60 } },
  });
});

test("warnings are headers of their own, and options are validated (P-38, P-39)", async () => {
  const { call } = apiInMemory();
  const odd = { ...map("a"), nope: 1, neither: 2 };
  expect((await call("POST", MAPS, odd)).headers.Warning).toEqual([
    '299 - "unknown field \\"nope\\""',
    '299 - "unknown field \\"neither\\""',
  ]);
  const long = await call("POST", `${MAPS}?fieldManager=${"x".repeat(129)}`, map("b"));
  expect(long).toMatchObject({ status: 422, body: { details: { kind: "CreateOptions" } } });
});

test("compiled-in kinds leave empty members out; custom resources keep what was sent (P-42)", async () => {
  const { call } = apiInMemory();
  const { body } = await call("POST", MAPS, {
    metadata: { name: "a", labels: {} },
    data: {},
    immutable: false,
  });
  expect(body).not.toHaveProperty("data");
  expect(body.metadata).not.toHaveProperty("labels");
  expect(body.immutable).toBe(false); // a pointer: not the same as absent
  const sent = service("a");
  expect((await call("POST", SERVICES, sent)).body.spec).toEqual(sent.spec);
});

test("labels and finalizers are checked, an unqualified finalizer of a custom resource is warned of (P-46)", async () => {
  const { call } = apiInMemory();
  const bad = await call("POST", MAPS, map("a", { labels: { "a/b/c": "x" }, finalizers: ["nope"] }));
  expect(Object(bad.body.details).causes).toHaveLength(2);
  const warned = await call("POST", SERVICES, service("a", { finalizers: ["routes.serving.knative.dev"] }));
  expect(warned.status).toBe(201);
  expect(String(warned.headers.Warning)).toContain("prefer a domain-qualified finalizer name");
});

test("the status path shows the whole object and takes the status alone (P-70, P-71)", async () => {
  const { call } = apiInMemory();
  await call("POST", SERVICES, service("a"));
  const whole = await call("GET", `${SERVICES}/a/status`);
  expect(whole.body).toHaveProperty("spec.template");
  const merge = { spec: null, status: { url: "http://x.y" } };
  const patched = await call("PATCH", `${SERVICES}/a/status`, merge, "application/merge-patch+json");
  expect(patched.body).toMatchObject({ spec: whole.body.spec, status: { url: "http://x.y" } });
});

test("ways into a pod are refused with a Status that says so (P-88)", async () => {
  const { call } = apiInMemory();
  for (const way of ["exec", "attach", "portforward"]) {
    const got = await call("POST", `/api/v1/namespaces/default/pods/a/${way}?command=ls`);
    expect(got).toMatchObject({ status: 400, body: { message: expect.stringContaining("not served here") } });
  }
});

test("a patch is checked against what it replaces, in the same step (P-99)", async () => {
  const { call } = apiInMemory();
  await call("POST", MAPS, { ...map("a"), immutable: true });
  const patched = await call("PATCH", `${MAPS}/a`, { data: { x: "2" } }, "application/merge-patch+json");
  expect(patched).toMatchObject({ status: 422, body: { details: { causes: [{ field: "data" }] } } });
});

test("a custom resource has no protobuf form (P-132)", async () => {
  const { call } = apiInMemory();
  expect((await call("POST", SERVICES, service("a"), "application/vnd.kubernetes.protobuf")).status).toBe(
    415,
  );
});

test("addresses on loopback are endpoints as any other (D-1)", async () => {
  const { call } = apiInMemory();
  const subsets = [{ addresses: [{ ip: "127.0.0.5" }], ports: [{ port: 8012 }] }];
  const made = await call("POST", "/api/v1/namespaces/default/endpoints", {
    metadata: { name: "a" },
    subsets,
  });
  expect(made.status).toBe(201);
});

test("mistakes the reference answers with 500 are the client's (D-2)", async () => {
  const { call } = apiInMemory();
  expect((await call("POST", MAPS, map("a", { resourceVersion: "5" }))).status).toBe(400);
  expect((await call("GET", `${MAPS}?resourceVersion=abc`)).status).toBe(400);
  expect((await call("GET", `${MAPS}?watch=1&resourceVersion=abc`)).status).toBe(400);
});

test("an object with finalizers is listed until its deletion is told, and not after (P-143)", async () => {
  const { call, clock, watch } = apiInMemory();
  await call("POST", MAPS, map("a", { finalizers: ["x/y"] }));
  const { stream } = await watch("resourceVersion=0");
  await call("DELETE", `${MAPS}/a`);
  expect((await call("GET", MAPS)).body.items).toHaveLength(1);
  await call("PATCH", `${MAPS}/a`, { metadata: { finalizers: null } }, "application/merge-patch+json");
  expect((await call("GET", MAPS)).body.items).toHaveLength(0);
  await clock.settle();
  expect(stream.types).toEqual(["ADDED a", "MODIFIED a", "DELETED a"]);
});

test("a list never shows less than a write that was answered, whoever made it (P-107)", async () => {
  const { call, store } = apiInMemory();
  await call("POST", SERVICES, service("a"));
  expect(store.list(KnativeServiceKind)).toHaveLength(1);
  for (const query of ["", "?resourceVersion=0", "?limit=1"]) {
    expect((await call("GET", `${SERVICES}${query}`)).body.items).toHaveLength(1);
  }
});

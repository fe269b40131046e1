import { EventKind } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { apiInMemory, MAPS } from "./support/api-in-memory.ts";

const map = (name: string, x = "1") => ({ metadata: { name }, data: { x } });

describe("watches", () => {
  test("a watch ends after its time, with a bookmark shortly before, and holds no timer then (P-114, P-116)", async () => {
    const { clock, watch } = apiInMemory();
    const { stream } = await watch("resourceVersion=0&allowWatchBookmarks=true&timeoutSeconds=10");
    expect(stream.types).toEqual(["BOOKMARK"]);
    clock.advance(8_000);
    expect(stream.types).toEqual(["BOOKMARK", "BOOKMARK"]);
    clock.advance(2_000);
    expect(stream.isEnded).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a watch that begins with what is forgotten is told to list again (P-115)", async () => {
    const { clock, call, watch } = apiInMemory({ changesMax: 3 });
    for (let i = 0; i < 8; i++) await call("POST", MAPS, map(`m${i}`));
    const { stream } = await watch("resourceVersion=6");
    await clock.settle();
    expect(stream.events).toMatchObject([{ type: "ERROR", object: { code: 410 } }]);
    expect(stream.isEnded).toBe(true);
  });

  test("a client that does not read is let go, so that it resumes from where it was (P-119, P-145)", async () => {
    const { clock, call, watch } = apiInMemory();
    const { stream } = await watch("resourceVersion=0");
    stream.pendingBytes = 9 * 1024 * 1024;
    await call("POST", MAPS, map("a"));
    await clock.settle();
    expect(stream.isEnded).toBe(true);
    const last = String(stream.events.at(-1)?.object.metadata.resourceVersion);
    await call("POST", MAPS, map("b"));
    const resumed = await watch(`resourceVersion=${last}`);
    await clock.settle();
    expect(resumed.stream.types).toEqual(["ADDED b"]);
  });

  test("streamed lists end with a marked bookmark, also when there is nothing (P-117)", async () => {
    const { call, watch } = apiInMemory();
    const query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    const empty = await watch(query);
    expect(empty.stream.types).toEqual(["BOOKMARK"]);
    await call("POST", MAPS, map("b"));
    await call("POST", MAPS, map("a"));
    const { stream } = await watch(query);
    expect(stream.types).toEqual(["ADDED a", "ADDED b", "BOOKMARK"]);
    expect(stream.events.at(-1)?.object.metadata.annotations).toEqual({
      "k8s.io/initial-events-end": "true",
    });
  });
});

describe("pages", () => {
  test("pages show the state of the first, and expire with its changes (P-103, P-106)", async () => {
    const { call } = apiInMemory({ changesMax: 20 });
    for (const name of ["a", "b", "c"]) await call("POST", MAPS, map(name));
    const first = await call("GET", `${MAPS}?limit=2`);
    expect(first.body.metadata).toMatchObject({ remainingItemCount: 1 });
    const token = String(Object(first.body.metadata).continue);
    await call("DELETE", `${MAPS}/c`);
    const rest = await call("GET", `${MAPS}?limit=2&continue=${token}`);
    expect(rest.body.items).toMatchObject([{ metadata: { name: "c" } }]);
    for (let i = 0; i < 30; i++) await call("POST", MAPS, map(`m${i}`));
    expect(await call("GET", `${MAPS}?limit=2&continue=${token}`)).toMatchObject({ status: 410 });
  });
});

describe("as kn calls (C-158, C-159, C-160)", () => {
  const SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services";
  const service = (image: string, extra: object = {}) => ({
    kind: "Service",
    apiVersion: "serving.knative.dev/v1",
    metadata: { name: "w", namespace: "default", creationTimestamp: null, ...extra },
    spec: {
      template: {
        metadata: { creationTimestamp: null },
        spec: { containers: [{ name: "", image, resources: {} }] },
      },
    },
    status: {},
  });

  test("create, update on a conflict, apply, delete in the background with options of another group (P-31, P-48, P-52, P-81)", async () => {
    const { call } = apiInMemory();
    expect(await call("GET", `${SERVICES}/w`)).toMatchObject({ status: 404, body: { reason: "NotFound" } });
    const created = await call("POST", SERVICES, service("example.com/a:1"));
    expect(created.status).toBe(201);
    const resourceVersion = String(Object(created.body.metadata).resourceVersion);
    const updated = await call("PUT", `${SERVICES}/w`, service("example.com/a:2", { resourceVersion }));
    expect(updated).toMatchObject({ status: 200, body: { metadata: { generation: 2 } } });
    const stale = await call("PUT", `${SERVICES}/w`, service("example.com/a:3", { resourceVersion }));
    expect(stale).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    const merge = { metadata: { annotations: { "client.knative.dev/user-image": "example.com/a:2" } } };
    const applied = await call("PATCH", `${SERVICES}/w`, merge, "application/merge-patch+json");
    expect(applied).toMatchObject({ status: 200, body: { metadata: { generation: 2 } } });
    const options = {
      kind: "DeleteOptions",
      apiVersion: "serving.knative.dev/v1",
      propagationPolicy: "Background",
    };
    expect(await call("DELETE", `${SERVICES}/w`, options)).toMatchObject({
      status: 200,
      body: { status: "Success" },
    });
    expect(await call("GET", `${SERVICES}/w`)).toMatchObject({ status: 404 });
  });

  test("lists by name, by label and of domain mappings; no list of event sources is an empty one (P-102)", async () => {
    const { call } = apiInMemory();
    await call("POST", SERVICES, service("example.com/a:1"));
    expect((await call("GET", `${SERVICES}?fieldSelector=metadata.name%3Dw`)).body.items).toHaveLength(1);
    const revisions = "/apis/serving.knative.dev/v1/namespaces/default/revisions";
    const label = encodeURIComponent("serving.knative.dev/service=w");
    expect(await call("GET", `${revisions}?labelSelector=${label}`)).toMatchObject({
      status: 200,
      body: { items: [] },
    });
    const mappings = "/apis/serving.knative.dev/v1beta1/namespaces/default/domainmappings";
    expect(await call("GET", mappings)).toMatchObject({ status: 200, body: { kind: "DomainMappingList" } });
    const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    expect(await call("GET", `${definitions}?labelSelector=duck.knative.dev%2Fsource%3Dtrue`)).toMatchObject({
      status: 200,
      body: { items: [] },
    });
  });
});

test("writes are answered in what they stored, and events count one change each (P-97, P-98, P-141, P-142)", async () => {
  const { clock, store, call, watch } = apiInMemory();
  const { stream } = await watch(`resourceVersion=${store.resourceVersion}`);
  await call("POST", MAPS, map("a"));
  const got = await call("GET", `${MAPS}/a`);
  const versions = await Promise.all(
    ["2", "3"].map((x) => call("PUT", `${MAPS}/a`, { ...got.body, data: { x } })),
  );
  expect(versions.map(({ status }) => status).sort()).toEqual([200, 409]);
  await call("DELETE", `${MAPS}/a`);
  await clock.settle();
  expect(stream.types).toEqual(["ADDED a", "MODIFIED a", "DELETED a"]);
  const numbers = stream.events.map(({ object }) => Number(object.metadata.resourceVersion));
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(new Set(numbers).size).toBe(3);
  expect(store.list(EventKind)).toEqual([]);
});

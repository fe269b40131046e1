import { ConfigMapKind as ConfigMap } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { apiInMemory, MAPS } from "./support/api-in-memory.ts";

const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const APPLY = "application/apply-patch+yaml";

type Call = ReturnType<typeof apiInMemory>["call"];

const apply = (call: Call, path: string, manager: string, body: unknown, more = "") =>
  call("PATCH", `${path}?fieldManager=${manager}${more}`, body, APPLY);
const map = (data: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a" },
  data,
});
const deployment = (spec: object) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "a" },
  spec: {
    selector: { matchLabels: { app: "a" } },
    template: { metadata: { labels: { app: "a" } }, spec },
  },
});

describe("server-side apply (P-54)", () => {
  test("names everyone who owns a field that would change, and takes it by force", async () => {
    const { call } = apiInMemory();
    await apply(call, `${MAPS}/a`, "one", map({ k: "1", l: "1" }));
    await apply(call, `${MAPS}/a`, "two", map({ l: "1", m: "1" }));
    const refused = await apply(call, `${MAPS}/a`, "three", map({ k: "3", l: "3" }));
    expect(refused).toMatchObject({
      status: 409,
      body: {
        reason: "Conflict",
        message:
          'Apply failed with 3 conflicts: conflicts with "one":\n- .data.k\n- .data.l\nconflicts with "two":\n- .data.l',
        details: {
          causes: [
            { reason: "FieldManagerConflict", message: 'conflict with "one"', field: ".data.k" },
            { reason: "FieldManagerConflict", message: 'conflict with "one"', field: ".data.l" },
            { reason: "FieldManagerConflict", message: 'conflict with "two"', field: ".data.l" },
          ],
        },
      },
    });
    const forced = await apply(call, `${MAPS}/a`, "three", map({ k: "3", l: "3" }), "&force=true");
    expect(forced).toMatchObject({ status: 200, body: { data: { k: "3", l: "3", m: "1" } } });
    // What was taken from them they do not remove.
    const left = await apply(call, `${MAPS}/a`, "one", map({}));
    expect(left.body).toMatchObject({ data: { k: "3", l: "3", m: "1" } });
  });

  test("removes what its manager leaves out, but not what another has as well", async () => {
    const { call } = apiInMemory();
    await apply(call, `${MAPS}/a`, "one", map({ k: "1", l: "1" }));
    await apply(call, `${MAPS}/a`, "two", map({ l: "1" }));
    const left = await apply(call, `${MAPS}/a`, "one", map({}));
    expect(left.body.data).toEqual({ l: "1" });
    const none = await apply(call, `${MAPS}/a`, "two", map({}));
    expect(none.body.data).toBeUndefined();
  });

  test("elements of a list are owned one by one, told apart by their keys", async () => {
    const { call } = apiInMemory();
    const env = (name: string, value: string) => ({ name, value });
    const container = (...variables: object[]) => ({ name: "app", image: "example.com/a:1", env: variables });
    await apply(
      call,
      `${DEPLOYMENTS}/a`,
      "one",
      deployment({ containers: [container(env("A", "1"), env("B", "1"))] }),
    );
    const sidecar = { containers: [{ name: "sidecar", image: "example.com/s:1" }] };
    const both = await apply(call, `${DEPLOYMENTS}/a`, "two", deployment(sidecar));
    expect(both.status).toBe(200);
    expect(namesOf(both.body)).toEqual(["sidecar", "app"]);
    const less = await apply(
      call,
      `${DEPLOYMENTS}/a`,
      "one",
      deployment({ containers: [container(env("B", "2"))] }),
    );
    expect(Object(less.body).spec.template.spec.containers).toMatchObject([
      { name: "sidecar" },
      { name: "app", env: [{ name: "B", value: "2" }] },
    ]);
    const gone = await apply(call, `${DEPLOYMENTS}/a`, "two", deployment({}));
    expect(namesOf(gone.body)).toEqual(["app"]);
  });

  test("who writes otherwise owns what it changed, and an apply conflicts with it", async () => {
    const { call } = apiInMemory();
    await apply(call, `${MAPS}/a`, "one", map({ k: "1", l: "1" }));
    await call("PATCH", `${MAPS}/a?fieldManager=edit`, { data: { k: "2" } }, "application/merge-patch+json");
    const refused = await apply(call, `${MAPS}/a`, "one", map({ k: "1", l: "1" }));
    expect(refused.body.message).toMatch(
      /^Apply failed with 1 conflict: conflict with "edit" using v1 at \S+: \.data\.k$/,
    );
    const agreed = await apply(call, `${MAPS}/a`, "one", map({ k: "2", l: "1" }));
    expect(agreed.status).toBe(200);
    expect(ownersOf(agreed.body)).toEqual([
      ["one", "Apply", { "f:data": { "f:k": {}, "f:l": {} } }],
      ["edit", "Update", { "f:data": { "f:k": {} } }],
    ]);
  });

  test("an object of before is owned by those before, until its fields are taken", async () => {
    const { call, store } = apiInMemory();
    store.create(ConfigMap, { ...map({ k: "1" }), metadata: { name: "a", namespace: "default" } });
    const refused = await apply(call, `${MAPS}/a`, "one", map({ k: "2" }));
    expect(refused.body.message).toContain('conflict with "before-first-apply" using v1');
    expect((await apply(call, `${MAPS}/a`, "one", map({ k: "2" }), "&force=true")).status).toBe(200);
  });

  test("repeated it changes nothing, and a dry run stores nothing", async () => {
    const { call } = apiInMemory();
    const first = await apply(call, `${MAPS}/a`, "one", map({ k: "1" }), "&dryRun=All");
    expect(first.status).toBe(201);
    expect((await call("GET", `${MAPS}/a`)).status).toBe(404);
    const made = await apply(call, `${MAPS}/a`, "one", map({ k: "1" }));
    const again = await apply(call, `${MAPS}/a`, "one", map({ k: "1" }));
    expect(again.body.metadata).toEqual(made.body.metadata);
  });

  test("owners can be rewritten, and forgotten (P-47)", async () => {
    const { call } = apiInMemory();
    await call("POST", `${MAPS}?fieldManager=kubectl-client-side-apply`, map({ k: "1" }));
    const owners = [
      {
        manager: "kubectl",
        operation: "Apply",
        apiVersion: "v1",
        fieldsType: "FieldsV1",
        fieldsV1: { "f:data": { "f:k": {} } },
      },
    ];
    const replace = (value: unknown) => [{ op: "replace", path: "/metadata/managedFields", value }];
    const rewritten = await call("PATCH", `${MAPS}/a`, replace(owners), "application/json-patch+json");
    expect(ownersOf(rewritten.body)).toEqual([["kubectl", "Apply", { "f:data": { "f:k": {} } }]]);
    expect((await apply(call, `${MAPS}/a`, "kubectl", map({ l: "1" }))).body.data).toEqual({ l: "1" });
    const forgotten = await call("PATCH", `${MAPS}/a`, replace([{}]), "application/json-patch+json");
    expect(forgotten.body.metadata).not.toHaveProperty("managedFields");
  });

  test("a status is applied by its own door", async () => {
    const { call } = apiInMemory();
    await apply(call, `${DEPLOYMENTS}/a`, "one", deployment({ containers: [{ name: "app", image: "a:1" }] }));
    const status = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "a" },
      status: { replicas: 2 },
    };
    const applied = await apply(call, `${DEPLOYMENTS}/a/status`, "two", status);
    expect(applied).toMatchObject({ status: 200, body: { status: { replicas: 2 }, spec: { replicas: 1 } } });
    const through = await apply(call, `${DEPLOYMENTS}/a`, "one", {
      ...deployment({ containers: [{ name: "app", image: "a:1" }] }),
      status: { replicas: 7 },
    });
    expect(through.body).toMatchObject({ status: { replicas: 2 } });
  });

  test.each([
    { why: "no manager", query: "", body: map({}), status: 422 },
    {
      why: "a name that is not the path's",
      query: "?fieldManager=x",
      body: { ...map({}), metadata: { name: "b" } },
      status: 400,
    },
    { why: "no object", query: "?fieldManager=x", body: [1], status: 400 },
    {
      why: "an old version",
      query: "?fieldManager=x",
      body: { ...map({}), metadata: { name: "a", resourceVersion: "1" } },
      status: 409,
    },
    {
      why: "a version of what is not there",
      query: "?fieldManager=x",
      body: { ...map({}), metadata: { name: "new", resourceVersion: "9" } },
      status: 409,
    },
    {
      why: "an unknown field",
      query: "?fieldManager=x&fieldValidation=Strict",
      body: { ...map({}), nope: 1 },
      status: 400,
    },
  ])("$why is $status", async ({ query, body, status }) => {
    const { call } = apiInMemory();
    await call("POST", MAPS, map({ k: "1" }));
    const name = Object(body).metadata?.name === "new" ? "new" : "a";
    expect((await call("PATCH", `${MAPS}/${name}${query}`, body, APPLY)).status).toBe(status);
  });
});

function namesOf(body: object): readonly string[] {
  return Object(body).spec.template.spec.containers.map(({ name }: { name: string }) => name);
}

function ownersOf(body: object): unknown {
  const entries: readonly Record<string, unknown>[] = Object(body).metadata.managedFields;
  return entries.map(({ manager, operation, fieldsV1 }) => [manager, operation, fieldsV1]);
}

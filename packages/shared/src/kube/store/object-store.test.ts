import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../clock/virtual-clock.ts";
import { SeededRandom } from "../../random.ts";
import { KubeError } from "../client.ts";
import { ConfigMapKind, DeploymentKind, NamespaceKind, PodKind, ServiceKind } from "../kinds/core.ts";
import { KnativeServiceKind, RevisionKind } from "../kinds/serving.ts";
import type { Kind, KubeObject } from "../object.ts";
import { ObjectStore, type ObjectStoreOptions } from "./object-store.ts";
import type { AnyObject, StoredObject } from "./stored-object.ts";

const ref = (name: string, namespace = "default") => ({ namespace, name });

function setup(options: ObjectStoreOptions = {}) {
  const clock = new VirtualClock();
  const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) }, options);
  return { clock, store };
}

function configMap(name: string, more: Partial<AnyObject["metadata"]> & { data?: object } = {}): AnyObject {
  const { data = {}, ...metadata } = more;
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "default", ...metadata },
  };
  return Object.assign(object, { data });
}

function custom(name: string, spec: unknown, more: object = {}): AnyObject {
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name, namespace: "default", ...more },
    spec,
  };
}

/** The reason and text a call fails with. */
function failure(run: () => unknown): { reason: string; message: string; code: number } {
  try {
    run();
  } catch (error) {
    if (error instanceof KubeError) {
      return { reason: error.reason, message: error.message, code: error.code };
    }
    throw error;
  }
  throw new Error("it did not fail");
}

describe("create", () => {
  test("fills in what only the server writes (P-41)", () => {
    const { store } = setup();
    const sent = configMap("a", {
      uid: "mine",
      generation: 7,
      creationTimestamp: "1999-01-01T00:00:00Z",
      deletionTimestamp: "1999-01-01T00:00:00Z",
      data: { k: "v" },
    });
    const { metadata } = store.create(ConfigMapKind, sent);
    expect(metadata).toEqual({
      name: "a",
      namespace: "default",
      uid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      resourceVersion: store.resourceVersion,
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
    });
  });

  test("gives a name used again another uid", () => {
    const { store } = setup();
    const first = store.create(ConfigMapKind, configMap("a"));
    store.delete(ConfigMapKind, ref("a"));
    const second = store.create(ConfigMapKind, configMap("a"));
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
  });

  test("drops status where it is written apart", () => {
    const { store } = setup();
    const created = store.create(KnativeServiceKind, { ...custom("a", { x: 1 }), status: { url: "u" } });
    expect(created).not.toHaveProperty("status");
  });

  test("makes a name of generateName and five characters, and keeps both (P-44)", () => {
    const { store } = setup();
    const long = `${"x".repeat(80)}-`;
    const a = store.create(ConfigMapKind, configMap("", { generateName: "job-" }));
    const b = store.create(ConfigMapKind, configMap("", { generateName: long }));
    expect(a.metadata.name).toMatch(/^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(a.metadata.generateName).toBe("job-");
    expect(b.metadata.name).toHaveLength(63);
    expect(store.create(ConfigMapKind, configMap("given", { generateName: "job-" })).metadata.name).toBe(
      "given",
    );
  });

  test.each<{ why: string; kind?: Kind<KubeObject>; object: AnyObject; reason: string; message: string }>([
    {
      why: "taken",
      object: configMap("taken"),
      reason: "AlreadyExists",
      message: 'configmaps "taken" already exists',
    },
    {
      why: "neither name nor generateName",
      object: configMap(""),
      reason: "Invalid",
      message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    },
    {
      why: "a version",
      object: configMap("a", { resourceVersion: "5" }),
      reason: "BadRequest",
      message: "resourceVersion should not be set on objects to be created",
    },
    {
      why: "a missing namespace (P-90)",
      object: configMap("a", { namespace: "nowhere" }),
      reason: "NotFound",
      message: 'namespaces "nowhere" not found',
    },
    {
      why: "no namespace",
      object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } },
      reason: "BadRequest",
      message: "an empty namespace may not be set during creation",
    },
    {
      why: "a bad name (P-45)",
      kind: KnativeServiceKind,
      object: custom("UPPER", {}),
      reason: "Invalid",
      message:
        "Service.serving.knative.dev \"UPPER\" is invalid: metadata.name: Invalid value: \"UPPER\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    },
    {
      why: "bad owner references (P-46)",
      object: configMap("x", {
        ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "", uid: "" }],
      }),
      reason: "Invalid",
      message:
        'ConfigMap "x" is invalid: [metadata.ownerReferences.name: Invalid value: "": must not be empty, metadata.ownerReferences.uid: Invalid value: "": must not be empty]',
    },
    {
      why: "an unqualified finalizer on a compiled-in kind",
      object: configMap("x", { finalizers: ["nodomain"] }),
      reason: "Invalid",
      message:
        'ConfigMap "x" is invalid: metadata.finalizers[0]: Invalid value: "nodomain": name is neither a standard finalizer name nor is it fully qualified',
    },
    {
      why: "a label value that is too long",
      object: configMap("x", { labels: { k: "a".repeat(64) } }),
      reason: "Invalid",
      message: `ConfigMap "x" is invalid: metadata.labels: Invalid value: "${"a".repeat(64)}": must be no more than 63 bytes`,
    },
    {
      why: "another kind",
      object: custom("x", {}),
      reason: "BadRequest",
      message:
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: it says serving.knative.dev/v1, Kind=Service',
    },
  ])("refuses $why", ({ kind = ConfigMapKind, object, reason, message }) => {
    const { store } = setup();
    store.create(ConfigMapKind, configMap("taken"));
    const version = store.resourceVersion;
    expect(failure(() => store.create(kind, object))).toMatchObject({ reason, message });
    expect(store.resourceVersion).toBe(version);
  });

  test("takes an unqualified finalizer on a custom resource, as a Route of Knative's has", () => {
    const { store } = setup();
    const object = custom("a", {}, { finalizers: ["routes.serving.knative.dev"] });
    expect(store.create(KnativeServiceKind, object).metadata.finalizers).toEqual([
      "routes.serving.knative.dev",
    ]);
  });

  test("names every cause of an invalid object", () => {
    const { store } = setup();
    try {
      store.create(ConfigMapKind, configMap("A", { labels: { "bad key!": "v" } }));
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(KubeError);
      const { details } = error as KubeError;
      expect(details?.causes?.map(({ field }) => field)).toEqual(["metadata.name", "metadata.labels"]);
      expect(details).toMatchObject({ name: "A", kind: "ConfigMap" });
    }
  });

  test("knows no kinds but those of its registry", () => {
    const { store } = setup();
    const kind = { ...ConfigMapKind, plural: "widgets", kind: "Widget" };
    expect(failure(() => store.get(kind, ref("a")))).toMatchObject({
      reason: "NotFound",
      message: "the server could not find the requested resource",
    });
  });
});

describe("update", () => {
  test("bumps generation for any change outside metadata and status, and only then (C-3)", () => {
    const { store } = setup();
    let object = store.create(KnativeServiceKind, custom("a", { x: 1 }));
    object = store.update(KnativeServiceKind, { ...object, spec: { x: 2 } });
    expect(object.metadata.generation).toBe(2);
    object = store.update(KnativeServiceKind, {
      ...object,
      metadata: { ...object.metadata, labels: { a: "b" }, annotations: { c: "d" } },
    });
    expect(object.metadata.generation).toBe(2);
    object = store.update(KnativeServiceKind, { ...object, status: { url: "u" } }, "status");
    expect(object.metadata.generation).toBe(2);
    expect(object.status).toEqual({ url: "u" });
  });

  test("takes no status, and a status update takes nothing else (P-70)", () => {
    const { store } = setup();
    const created = store.create(KnativeServiceKind, custom("a", { x: 1 }));
    const withStatus = store.update(
      KnativeServiceKind,
      { ...created, spec: { x: 9 }, status: { s: 1 } },
      "status",
    );
    expect(withStatus).toMatchObject({ spec: { x: 1 }, status: { s: 1 } });
    const changed = store.update(KnativeServiceKind, { ...withStatus, spec: { x: 2 }, status: { s: 2 } });
    expect(changed).toMatchObject({ spec: { x: 2 }, status: { s: 1 } });
    const { status: _, ...without } = changed;
    expect(store.update(KnativeServiceKind, without).status).toEqual({ s: 1 });
  });

  test("that changes nothing answers the old version and is no event (P-40)", () => {
    const { store } = setup();
    const created = store.create(ConfigMapKind, configMap("a", { labels: {}, data: { k: "v" } }));
    const before = store.history(ConfigMapKind).sequenceNext;
    const version = store.resourceVersion;
    expect(store.update(ConfigMapKind, structuredClone(created))).toBe(created);
    expect(
      store.update(ConfigMapKind, configMap("a", { labels: {}, annotations: {}, data: { k: "v" } })),
    ).toBe(created);
    expect(store.patch(ConfigMapKind, ref("a"), { kind: "json", operations: [] })).toBe(created);
    expect(store.resourceVersion).toBe(version);
    expect(store.history(ConfigMapKind).sequenceNext).toBe(before);
  });

  test("with an old version is a conflict (P-48)", () => {
    const { store } = setup();
    const created = store.create(ConfigMapKind, configMap("a", { data: { k: "1" } }));
    store.update(ConfigMapKind, { ...created, ...{ data: { k: "2" } } });
    expect(failure(() => store.update(ConfigMapKind, { ...created, ...{ data: { k: "3" } } }))).toEqual({
      reason: "Conflict",
      code: 409,
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    });
  });

  test("without a version is unconditional for compiled-in kinds and refused for custom resources (P-48)", () => {
    const { store } = setup();
    store.create(ConfigMapKind, configMap("a"));
    store.create(KnativeServiceKind, custom("a", {}));
    expect(store.update(ConfigMapKind, configMap("a", { data: { k: "1" } }))).toMatchObject({
      data: { k: "1" },
    });
    expect(failure(() => store.update(KnativeServiceKind, custom("a", { x: 1 })))).toMatchObject({
      code: 422,
      message:
        'services.serving.knative.dev "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    });
  });

  test("never creates, and never moves to another object of the name", () => {
    const { store } = setup();
    expect(failure(() => store.update(ConfigMapKind, configMap("a")))).toMatchObject({ code: 404 });
    store.create(ConfigMapKind, configMap("a"));
    expect(failure(() => store.update(ConfigMapKind, configMap("a", { uid: "other" })))).toMatchObject({
      reason: "Conflict",
    });
  });

  test("keeps what only the server writes", () => {
    const { store, clock } = setup();
    const created = store.create(ConfigMapKind, configMap("a"));
    clock.advance(5_000);
    const changed = store.update(
      ConfigMapKind,
      configMap("a", { creationTimestamp: "1999-01-01T00:00:00Z", generation: 99, data: { k: "v" } }),
    );
    const { uid, creationTimestamp } = created.metadata;
    expect(changed.metadata).toMatchObject({ uid, creationTimestamp, generation: 2 });
  });

  test("of a status is not found for kinds without one", () => {
    const { store } = setup();
    const created = store.create(ConfigMapKind, configMap("a"));
    expect(failure(() => store.update(ConfigMapKind, created, "status"))).toMatchObject({ code: 404 });
  });
});

describe("what is stored", () => {
  test("is frozen all the way down and shares nothing with what was sent", () => {
    const { store } = setup();
    const spec = { list: [{ a: 1 }] };
    const created = store.create(KnativeServiceKind, custom("a", spec));
    spec.list.push({ a: 2 });
    expect(store.get(KnativeServiceKind, ref("a")).spec).toEqual({ list: [{ a: 1 }] });
    expect(isDeepFrozen(created)).toBe(true);
  });

  test("is shared with the next version where it did not change", () => {
    const { store } = setup();
    const created = store.create(KnativeServiceKind, custom("a", { big: { x: 1 }, small: 1 }));
    const { big } = created.spec as { big: unknown };
    const changed = store.update(KnativeServiceKind, { ...created, spec: { big, small: 2 } });
    expect((changed.spec as { big: unknown }).big).toBe(big);
    expect(isDeepFrozen(changed)).toBe(true);
  });

  test("leaves out null members (P-31)", () => {
    const { store } = setup();
    const created = store.create(KnativeServiceKind, custom("a", { x: null, y: { z: null }, list: [null] }));
    expect(created.spec).toEqual({ y: {}, list: [null] });
  });

  test("cannot reach a prototype", () => {
    const { store } = setup();
    const spec: unknown = JSON.parse('{"__proto__": {"polluted": true}, "x": 1}');
    const created = store.create(KnativeServiceKind, custom("a", spec));
    expect(created.spec).toEqual({ x: 1 });
    expect(Object.getPrototypeOf(created.spec)).toBe(Object.prototype);
  });

  test("is refused when JSON cannot say it", () => {
    const { store } = setup();
    expect(failure(() => store.create(KnativeServiceKind, custom("a", { x: () => 1 })))).toMatchObject({
      reason: "BadRequest",
    });
    expect(failure(() => store.create(KnativeServiceKind, custom("a", { x: Number.NaN })))).toMatchObject({
      reason: "BadRequest",
    });
    let deep: object = {};
    for (let i = 0; i < 5_000; i++) deep = { deep };
    expect(failure(() => store.create(KnativeServiceKind, custom("a", deep)))).toMatchObject({
      reason: "BadRequest",
    });
  });
});

describe("patch", () => {
  test("merges: members one by one, null removes, lists are replaced whole (P-52)", () => {
    const { store } = setup();
    store.create(KnativeServiceKind, custom("a", { keep: 1, drop: 2, list: [1, 2], map: { a: 1, b: 2 } }));
    const body = { spec: { drop: null, list: [3], map: { b: 9 } } };
    const patched = store.patch(KnativeServiceKind, ref("a"), { kind: "merge", body });
    expect(patched.spec).toEqual({ keep: 1, list: [3], map: { a: 1, b: 9 } });
    expect(patched.metadata.generation).toBe(2);
  });

  test.each<{ why: string; body: unknown; reason: string }>([
    { why: "is no object", body: [1], reason: "BadRequest" },
    { why: "takes metadata away", body: { metadata: null }, reason: "BadRequest" },
    { why: "makes metadata a text", body: { metadata: "x" }, reason: "BadRequest" },
    { why: "changes the name", body: { metadata: { name: "b" } }, reason: "BadRequest" },
    { why: "changes the namespace", body: { metadata: { namespace: "b" } }, reason: "BadRequest" },
    { why: "changes the kind", body: { kind: "Route" }, reason: "BadRequest" },
    { why: "changes the uid", body: { metadata: { uid: "b" } }, reason: "Invalid" },
    { why: "names an old version (P-48)", body: { metadata: { resourceVersion: "1" } }, reason: "Conflict" },
    { why: "makes labels a list", body: { metadata: { labels: ["a"] } }, reason: "Invalid" },
    { why: "makes a label a number", body: { metadata: { labels: { a: 1 } } }, reason: "Invalid" },
    { why: "makes owners a map", body: { metadata: { ownerReferences: { a: 1 } } }, reason: "Invalid" },
  ])("is refused when it $why", ({ body, reason }) => {
    const { store } = setup();
    const created = store.create(KnativeServiceKind, custom("a", { x: 1 }));
    expect(failure(() => store.patch(KnativeServiceKind, ref("a"), { kind: "merge", body })).reason).toBe(
      reason,
    );
    expect(store.get(KnativeServiceKind, ref("a"))).toBe(created);
  });

  test("of a status changes nothing else, and without it changes no status (P-70)", () => {
    const { store } = setup();
    store.create(KnativeServiceKind, custom("a", { x: 1 }));
    const body = { spec: { x: 2 }, status: { s: 1 } };
    const status = store.patch(KnativeServiceKind, ref("a"), { kind: "merge", body }, "status");
    expect(status).toMatchObject({ spec: { x: 1 }, status: { s: 1 }, metadata: { generation: 1 } });
    const main = store.patch(KnativeServiceKind, ref("a"), {
      kind: "merge",
      body: { spec: { x: 3 }, status: { s: 2 } },
    });
    expect(main).toMatchObject({ spec: { x: 3 }, status: { s: 1 }, metadata: { generation: 2 } });
  });

  test("of a Deployment's scale sets its replicas (P-75)", () => {
    const { store } = setup();
    const spec = { replicas: 0, selector: {}, template: {} };
    store.create(DeploymentKind, { ...base(DeploymentKind, "a"), spec });
    const add = (value: unknown) =>
      store.patch(
        DeploymentKind,
        ref("a"),
        { kind: "json", operations: [{ op: "add", path: "/spec/replicas", value }] },
        "scale",
      );
    const scaled = add(3);
    expect(scaled.spec).toEqual({ ...spec, replicas: 3 });
    expect(scaled.metadata.generation).toBe(2);
    expect(add(3)).toBe(scaled);
    expect(add(0).spec).toEqual(spec);
    expect(failure(() => add(-1)).message).toBe(
      'Scale.autoscaling "a" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
    const patch = { kind: "merge", body: { spec: { replicas: 1 } } } as const;
    store.create(KnativeServiceKind, custom("a", {}));
    expect(failure(() => store.patch(KnativeServiceKind, ref("a"), patch, "scale")).code).toBe(404);
  });
});

describe("delete", () => {
  test("is at once where nothing has to wait, and the event carries a new version (P-49, P-80)", () => {
    const { store } = setup();
    const created = store.create(ConfigMapKind, configMap("a"));
    store.delete(ConfigMapKind, ref("a"));
    expect(failure(() => store.get(ConfigMapKind, ref("a"))).message).toBe('configmaps "a" not found');
    expect(failure(() => store.delete(ConfigMapKind, ref("a"))).code).toBe(404);
    const last = changesOf(store, ConfigMapKind).at(-1);
    expect(last).toMatchObject({ type: "DELETED", object: { metadata: { uid: created.metadata.uid } } });
    expect(Number(last?.object.metadata.resourceVersion)).toBe(Number(created.metadata.resourceVersion) + 1);
  });

  test("checks its preconditions (P-81)", () => {
    const { store } = setup();
    const { uid, resourceVersion } = store.create(ConfigMapKind, configMap("a")).metadata;
    expect(failure(() => store.delete(ConfigMapKind, ref("a"), { uid: "b" })).message).toContain(
      `the UID in the precondition (b) does not match the UID in record (${uid}).`,
    );
    expect(failure(() => store.delete(ConfigMapKind, ref("a"), { resourceVersion: "1" })).code).toBe(409);
    store.delete(ConfigMapKind, ref("a"), { uid, resourceVersion });
    expect(store.find(ConfigMapKind, ref("a"))).toBeUndefined();
  });

  test("waits for finalizers; the write that removes the last one ends it (P-82)", () => {
    const { store, clock } = setup();
    store.create(KnativeServiceKind, custom("a", { x: 1 }, { finalizers: ["e.com/a", "e.com/b"] }));
    clock.advance(3_000);
    const marked = store.delete(KnativeServiceKind, ref("a"));
    expect(marked.metadata).toMatchObject({
      deletionTimestamp: "2026-01-01T00:00:03Z",
      deletionGracePeriodSeconds: 0,
      generation: 2,
    });
    clock.advance(3_000);
    expect(store.delete(KnativeServiceKind, ref("a"))).toBe(marked);
    const changed = store.patch(KnativeServiceKind, ref("a"), { kind: "merge", body: { spec: { x: 2 } } });
    expect(changed.metadata.deletionTimestamp).toBe(marked.metadata.deletionTimestamp);
    const finalizers = (list: string[]) =>
      store.patch(KnativeServiceKind, ref("a"), { kind: "merge", body: { metadata: { finalizers: list } } });
    expect(failure(() => finalizers(["e.com/a", "e.com/c"])).message).toBe(
      'Service.serving.knative.dev "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"e.com/c"}',
    );
    expect(finalizers(["e.com/b"]).metadata.finalizers).toEqual(["e.com/b"]);
    expect(finalizers([]).metadata).not.toHaveProperty("finalizers");
    expect(store.find(KnativeServiceKind, ref("a"))).toBeUndefined();
    expect(changesOf(store, KnativeServiceKind).map(({ type }) => type)).toEqual([
      "ADDED",
      "MODIFIED",
      "MODIFIED",
      "MODIFIED",
      "DELETED",
    ]);
  });

  test("of a pod on a node takes two steps (P-86)", () => {
    const { store, clock } = setup();
    const spec = { containers: [], nodeName: "node-1", terminationGracePeriodSeconds: 20 };
    store.create(PodKind, { ...base(PodKind, "a"), spec });
    const ends = (options: { gracePeriodSeconds?: number } = {}) =>
      store.delete(PodKind, ref("a"), options).metadata;
    expect(ends()).toMatchObject({
      deletionTimestamp: "2026-01-01T00:00:20Z",
      deletionGracePeriodSeconds: 20,
      generation: 2,
    });
    clock.advance(1_000);
    expect(ends({ gracePeriodSeconds: 5 })).toMatchObject({
      deletionTimestamp: "2026-01-01T00:00:05Z",
      deletionGracePeriodSeconds: 5,
      generation: 2,
    });
    expect(ends({ gracePeriodSeconds: 60 }).deletionGracePeriodSeconds).toBe(5);
    store.patch(PodKind, ref("a"), { kind: "merge", body: { status: { phase: "Failed" } } }, "status");
    expect(store.find(PodKind, ref("a"))).toBeDefined();
    ends({ gracePeriodSeconds: 0 });
    expect(store.find(PodKind, ref("a"))).toBeUndefined();
    const types = changesOf(store, PodKind).map(({ type, object }) => [
      type,
      object.metadata.deletionGracePeriodSeconds,
    ]);
    expect(types.slice(-2)).toEqual([
      ["MODIFIED", 0],
      ["DELETED", 0],
    ]);
  });

  test.each([
    { why: "is on no node", spec: {}, status: {} },
    { why: "has ended", spec: { nodeName: "n" }, status: { phase: "Succeeded" } },
  ])("of a pod that $why is at once", ({ spec, status }) => {
    const { store } = setup();
    store.create(PodKind, { ...base(PodKind, "a"), spec });
    store.patch(PodKind, ref("a"), { kind: "merge", body: { status } }, "status");
    store.delete(PodKind, ref("a"));
    expect(store.find(PodKind, ref("a"))).toBeUndefined();
  });

  test("of a namespace the API needs is forbidden", () => {
    const { store } = setup();
    expect(failure(() => store.delete(NamespaceKind, { namespace: "", name: "default" }))).toMatchObject({
      code: 403,
      message: 'namespaces "default" is forbidden: this namespace may not be deleted',
    });
  });
});

describe("list", () => {
  test("sorts by namespace, then name, and filters (P-100, P-101, P-102)", () => {
    const { store } = setup({ namespaces: ["another"] });
    for (const [name, namespace, tier] of [
      ["b", "default", "web"],
      ["a", "default", "db"],
      ["c", "another", "web"],
    ] as const) {
      store.create(ServiceKind, {
        ...base(ServiceKind, name),
        metadata: { name, namespace, labels: { tier } },
        spec: { type: name === "a" ? "ExternalName" : "ClusterIP" },
      });
    }
    const names = (query: object) =>
      store.list(ServiceKind, query).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    expect(names({})).toEqual(["another/c", "default/a", "default/b"]);
    expect(names({ namespace: "default" })).toEqual(["default/a", "default/b"]);
    expect(names({ labelSelector: "tier in (web)" })).toEqual(["another/c", "default/b"]);
    expect(names({ fieldSelector: "metadata.name=a" })).toEqual(["default/a"]);
    expect(names({ fieldSelector: "metadata.name!=a,spec.type=ClusterIP" })).toEqual([
      "another/c",
      "default/b",
    ]);
    expect(failure(() => names({ labelSelector: "a=b=c" })).reason).toBe("BadRequest");
    expect(failure(() => names({ fieldSelector: "spec.x=1" })).message).toBe(
      "field label not supported: spec.x",
    );
    expect(names({ namespace: "nowhere" })).toEqual([]);
  });
});

describe("restored from a journal", () => {
  test("a store has the same objects, and counts on from a later version", () => {
    const records: Parameters<
      NonNullable<ConstructorParameters<typeof ObjectStore>[0]["journal"]>["append"]
    >[0][] = [];
    const wall = () => new VirtualClock().wall();
    const journal = { append: (record: (typeof records)[number]) => records.push(record) };
    const first = new ObjectStore({ wall, random: new SeededRandom(1), journal });
    first.create(RevisionKind, { ...base(RevisionKind, "r"), spec: { containers: [] } });
    first.create(ConfigMapKind, configMap("a"));
    first.create(ConfigMapKind, configMap("b"));
    first.delete(ConfigMapKind, ref("a"));
    const second = new ObjectStore(
      { wall, random: new SeededRandom(2) },
      { restored: structuredClone(records) },
    );
    for (const kind of first.kinds) expect(second.list(kind)).toEqual(first.list(kind));
    expect(Number(second.resourceVersion)).toBeGreaterThan(Number(first.resourceVersion));
    expect(isDeepFrozen(second.get(ConfigMapKind, ref("b")))).toBe(true);
  });

  test("a write the journal refuses did not happen", () => {
    const journal = {
      append: () => {
        throw new KubeError("InternalError", "disk full");
      },
    };
    const random = new SeededRandom(1);
    expect(() => new ObjectStore({ wall: () => new VirtualClock().wall(), random, journal })).toThrow(
      "disk full",
    );
    const { store } = setup();
    const version = store.resourceVersion;
    expect(store.list(ConfigMapKind)).toEqual([]);
    expect(store.resourceVersion).toBe(version);
  });
});

function base(kind: Kind<KubeObject>, name: string): KubeObject {
  const apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
  return { apiVersion, kind: kind.kind, metadata: { name, namespace: "default" } };
}

function changesOf(store: ObjectStore, kind: Kind<KubeObject>): { type: string; object: StoredObject }[] {
  const history = store.history(kind);
  const changes = [];
  for (let at = history.sequenceFirst; at < history.sequenceNext; at++) {
    const change = history.at(at);
    if (change !== undefined) changes.push({ type: change.type, object: change.object });
  }
  return changes;
}

function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen);
}

import {
  InProcessKubeClient,
  type KnativeService,
  KnativeServiceKind,
  labels,
  ObjectStore,
  PodKind,
  RevisionKind,
  SeededRandom,
  ServerlessServiceKind,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Load } from "./revision-view.ts";
import { World } from "./world.ts";

const REVISION = "hello-00001";
const ref = (name: string) => ({ namespace: "default", name });
const template = { spec: { containers: [{ name: "user-container", image: "x" }] } };
const servingVersion = { apiVersion: "serving.knative.dev/v1" } as const;

async function setUp() {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const store = new ObjectStore({ wall: () => clock.wall(), random });
  const client = new InProcessKubeClient({ store, clock });
  const lines: string[] = [];
  const load: { now: Load } = { now: { held: 0, inFlight: 0 } };
  const world = await World.start({
    client,
    clock,
    random,
    load: () => load.now,
    print: (line) => lines.push(line),
  });
  onTestFinished(() => {
    world[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
  });
  /** The lines that so much time brings. */
  const after = async (ms: number): Promise<readonly string[]> => {
    lines.length = 0;
    await clock.advanceAsync(ms);
    return [...lines];
  };
  const createRevision = () =>
    client.create(RevisionKind, {
      ...servingVersion,
      kind: "Revision",
      metadata: { name: REVISION, namespace: "default" },
      spec: { containers: [{ name: "user-container", image: "x" }] },
    });
  const createPod = (name: string) =>
    client.create(PodKind, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "default", labels: { [labels.revision]: REVISION } },
      spec: { containers: [{ name: "user-container", image: "x" }] },
    });
  const setMode = async (mode: "Serve" | "Proxy") => {
    await client.create(ServerlessServiceKind, {
      apiVersion: "networking.internal.knative.dev/v1alpha1",
      kind: "ServerlessService",
      metadata: { name: REVISION, namespace: "default", labels: { [labels.revision]: REVISION } },
      spec: {
        mode,
        objectRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
        protocolType: "http1",
      },
    });
  };
  return { client, clock, load, after, createRevision, createPod, setMode };
}

describe("a revision", () => {
  test("has a line when it comes, when its mode is decided, when pods come, and when it goes", async () => {
    const { client, after, createRevision, createPod, setMode } = await setUp();
    await createRevision();
    expect(await after(10)).toEqual([`${REVISION}  0 pods · no mode yet · 0 held`]);
    await setMode("Proxy");
    expect(await after(10)).toEqual([`${REVISION}  0 pods · proxy · 0 held`]);
    await createPod("p1");
    await createPod("p2");
    expect(await after(10)).toEqual([`${REVISION}  2 starting · proxy · 0 held`]);
    await client.patch(
      PodKind,
      ref("p1"),
      {
        kind: "merge",
        body: { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } },
      },
      "status",
    );
    expect(await after(10)).toEqual([`${REVISION}  1 ready, 1 starting · proxy · 0 held`]);
    await client.delete(RevisionKind, ref(REVISION));
    expect(await after(10)).toEqual([`${REVISION}  gone`]);
  });

  test("that holds requests is looked at again until it holds none", async () => {
    const { load, after, createRevision, createPod } = await setUp();
    await createRevision();
    await after(10);
    load.now = { held: 3, inFlight: 0 };
    await createPod("p1");
    expect(await after(10)).toEqual([`${REVISION}  1 starting · no mode yet · 3 held`]);
    load.now = { held: 0, inFlight: 3 };
    expect(await after(250)).toEqual([`${REVISION}  1 starting · no mode yet · 0 held, 3 in flight`]);
    expect(await after(10_000)).toEqual([]);
  });

  test("whose second look is planned is looked at sooner when something changes", async () => {
    const { load, after, createRevision, createPod } = await setUp();
    load.now = { held: 1, inFlight: 0 };
    await createRevision();
    await after(10);
    await createPod("p1");
    expect(await after(10)).toEqual([`${REVISION}  1 starting · no mode yet · 1 held`]);
    load.now = { held: 0, inFlight: 0 };
    await after(250);
  });

  test("says nothing twice", async () => {
    const { client, after, createRevision } = await setUp();
    await createRevision();
    await after(10);
    await client.patch(RevisionKind, ref(REVISION), {
      kind: "merge",
      body: { metadata: { annotations: { seen: "yes" } } },
    });
    expect(await after(10)).toEqual([]);
  });
});

describe("a service", () => {
  const service: KnativeService = {
    ...servingVersion,
    kind: "Service",
    metadata: { name: "hello", namespace: "default" },
    spec: { template },
  };
  const url = "http://hello.default.localhost:8080";

  test("is ready, then not and why, then deleted", async () => {
    const { client, after } = await setUp();
    await client.create(KnativeServiceKind, service);
    expect(await after(10)).toEqual([]);
    const report = (condition: object) =>
      client.patch(
        KnativeServiceKind,
        ref("hello"),
        { kind: "merge", body: { status: { url, conditions: [{ type: "Ready", ...condition }] } } },
        "status",
      );
    await report({ status: "True" });
    expect(await after(10)).toEqual([`hello  ready: curl ${url}`]);
    await report({ status: "False", reason: "RevisionFailed", message: "no such program" });
    expect(await after(10)).toEqual(["hello  not ready: RevisionFailed: no such program"]);
    await client.delete(KnativeServiceKind, ref("hello"));
    expect(await after(10)).toEqual(["hello  service deleted"]);
  });

  test("of another namespace is called by both names", async () => {
    const { client, after } = await setUp();
    await client.create(KnativeServiceKind, {
      ...service,
      metadata: { name: "hello", namespace: "knative-serving" },
    });
    await client.patch(
      KnativeServiceKind,
      { namespace: "knative-serving", name: "hello" },
      { kind: "merge", body: { status: { url, conditions: [{ type: "Ready", status: "True" }] } } },
      "status",
    );
    expect(await after(10)).toEqual([`knative-serving/hello  ready: curl ${url}`]);
  });
});

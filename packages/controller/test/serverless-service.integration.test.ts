import {
  DeploymentKind,
  type EndpointSubset,
  type Endpoints,
  EndpointsKind,
  EventKind,
  EventRecorder,
  findCondition,
  Informer,
  InProcessKubeClient,
  isKubeError,
  type KubeClient,
  ObjectStore,
  objectKey,
  SeededRandom,
  type ServerlessService,
  ServerlessServiceKind,
  type Service,
  ServiceKind,
  type Stored,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { Controller } from "../src/index.ts";
import type { SksMode } from "../src/serverless-service/effective-mode.ts";
import { ServerlessServiceReconciler } from "../src/serverless-service/serverless-service-reconciler.ts";
import { RefusingClient } from "./refusing-client.ts";

const NAME = "hello-00001";
const PRIVATE = `${NAME}-private`;
const namespace = "default";
const key = objectKey({ namespace, name: NAME });
const SELECTOR = { "serving.knative.dev/revisionUID": "r-1" };

/** The reconciler on a store of its own; its caches are caught up by `look`. */
class Bench implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly inner: KubeClient;
  readonly client: RefusingClient;
  readonly #caches: readonly (Disposable & { start(): Promise<void> })[];
  readonly #reconciler: ServerlessServiceReconciler;

  constructor() {
    const { clock } = this;
    const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) });
    this.inner = new InProcessKubeClient({ store, clock });
    this.client = new RefusingClient(this.inner);
    const deps = { client: this.inner, clock, random: new SeededRandom(2) };
    const serverlessServices = new Informer(deps, ServerlessServiceKind);
    const deployments = new Informer(deps, DeploymentKind);
    const services = new Informer(deps, ServiceKind);
    const endpoints = new Informer(deps, EndpointsKind);
    this.#caches = [serverlessServices, deployments, services, endpoints];
    this.#reconciler = new ServerlessServiceReconciler({
      client: this.client,
      clock,
      events: new EventRecorder({ client: this.inner, clock, log: silentLogger }),
      serverlessServices,
      deployments,
      services,
      endpoints,
      activators: objectKey({ namespace: "knative-serving", name: "activator-service" }),
    });
  }

  static async start(
    options: {
      readonly mode?: SksMode;
      readonly protocol?: "http1" | "h2c";
      readonly numActivators?: number;
      readonly without?: "deployment" | "activators" | "pods";
    } = {},
  ): Promise<Bench> {
    const bench = new Bench();
    const { mode = "Serve", protocol = "http1", numActivators = 0 } = options;
    const objectRef = { apiVersion: "apps/v1", kind: "Deployment", name: `${NAME}-deployment` };
    await bench.inner.create(ServerlessServiceKind, {
      apiVersion: "networking.internal.knative.dev/v1alpha1",
      kind: "ServerlessService",
      metadata: { name: NAME, namespace },
      spec: { mode, objectRef, protocolType: protocol, numActivators },
    });
    if (options.without !== "deployment") {
      await bench.inner.create(DeploymentKind, {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: objectRef.name, namespace },
        spec: {
          selector: { matchLabels: SELECTOR },
          template: { metadata: { labels: SELECTOR }, spec: { containers: [{ name: "user-container" }] } },
        },
      });
    }
    if (options.without !== "activators") await bench.activators("10.9.0.1");
    if (options.without !== "pods") await bench.pods("10.1.0.1");
    for (const cache of bench.#caches) await cache.start();
    return bench;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cache of this.#caches) cache[Symbol.dispose]();
    expect(this.clock.pendingTimers).toBe(0);
  }

  async activators(...ips: readonly string[]): Promise<void> {
    await this.#endpoints("knative-serving", "activator-service", ips);
  }

  async pods(...ips: readonly string[]): Promise<void> {
    await this.#endpoints(namespace, PRIVATE, ips);
  }

  /** With the labels Kubernetes copies from the private Service: K-24. */
  async privatePods(...ips: readonly string[]): Promise<void> {
    await this.#endpoints(namespace, PRIVATE, ips, {
      "networking.internal.knative.dev/serverlessservice": NAME,
      "networking.internal.knative.dev/serviceType": "Private",
    });
  }

  /** One pass on caches that have caught up; returns what it threw. */
  async look(): Promise<unknown> {
    await this.clock.settle();
    this.client.writes.length = 0;
    let thrown: unknown;
    try {
      await this.#reconciler.reconcile(key);
    } catch (error) {
      thrown = error;
    }
    await this.clock.settle();
    return thrown;
  }

  async sks(): Promise<Stored<ServerlessService>> {
    return await this.inner.get(ServerlessServiceKind, { namespace, name: NAME });
  }

  async condition(type: string): Promise<string> {
    const { status, reason = "" } = findCondition((await this.sks()).status?.conditions, type) ?? {
      status: "-",
    };
    return `${status} ${reason}`.trim();
  }

  async setMode(mode: SksMode): Promise<void> {
    const sks = await this.sks();
    await this.inner.update(ServerlessServiceKind, { ...sks, spec: { ...sks.spec, mode } });
  }

  async service(name: string): Promise<Stored<Service> | undefined> {
    return await this.inner.get(ServiceKind, { namespace, name }).catch(absent);
  }

  async publicIps(): Promise<readonly string[] | undefined> {
    const endpoints = await this.inner.get(EndpointsKind, { namespace, name: NAME }).catch(absent);
    return (
      endpoints?.subsets?.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip)) ?? (endpoints && [])
    );
  }

  async #endpoints(
    of: string,
    name: string,
    ips: readonly string[],
    labels: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const ports = [
      { name: "http", port: 8012 },
      { name: "http2", port: 8013 },
      { name: "http-autometric", port: 9090 },
    ];
    const subsets: EndpointSubset[] =
      ips.length === 0 ? [] : [{ addresses: ips.map((ip) => ({ ip })), ports }];
    const metadata = { name, namespace: of, labels };
    const endpoints: Endpoints = { apiVersion: "v1", kind: "Endpoints", metadata, subsets };
    await this.inner.create(EndpointsKind, endpoints).catch(async (error: unknown) => {
      if (!isKubeError(error, "AlreadyExists")) throw error;
      await this.inner.update(EndpointsKind, endpoints);
    });
  }
}

function absent(error: unknown): undefined {
  if (!isKubeError(error, "NotFound")) throw error;
}

const P = ["10.1.0.1"];
const A = ["10.9.0.1"];
const ACTIVATORS = "ActivatorEndpointsPopulated";

describe("W-1, K-32, K-33, K-46, K-48, K-87…K-89: who is behind the public endpoints", () => {
  test.each([
    { mode: "Serve", p: P, a: A, want: P, populated: "True", activators: "False" },
    { mode: "Serve", p: [], a: A, want: A, populated: "Unknown NoHealthyBackends", activators: "True" },
    { mode: "Serve", p: P, a: [], want: P, populated: "True", activators: "False" },
    { mode: "Proxy", p: P, a: A, want: A, populated: "True", activators: "True" },
    { mode: "Proxy", p: [], a: A, want: A, populated: "Unknown NoHealthyBackends", activators: "True" },
    { mode: "Proxy", p: P, a: [], want: P, populated: "True", activators: "True" },
    { mode: "Proxy", p: [], a: [], want: [], populated: "Unknown NoHealthyBackends", activators: "True" },
    { mode: "Serve", p: [], a: [], want: [], populated: "Unknown NoHealthyBackends", activators: "True" },
  ] as const)("$mode, pods $p, activators $a: $want", async ({ mode, p, a, want, populated, activators }) => {
    await using bench = await Bench.start({ mode });
    await bench.pods(...p);
    await bench.activators(...a);
    expect(await bench.look()).toBeUndefined();
    expect(await bench.publicIps()).toEqual(want);
    expect(await bench.condition("EndpointsPopulated")).toBe(populated);
    expect(await bench.condition("Ready")).toBe(populated);
    expect(await bench.condition(ACTIVATORS)).toBe(`${activators} ${ACTIVATORS}`);
  });
});

test("W-2, K-25, K-26, K-29, K-41: a fresh one gets private Service, public Service and public endpoints, in this order", async () => {
  await using bench = await Bench.start();
  expect(await bench.look()).toBeUndefined();
  expect(bench.client.writes).toEqual([
    `create Service ${PRIVATE}`,
    `create Service ${NAME}`,
    `create Endpoints ${NAME}`,
    `status ServerlessService ${NAME}`,
  ]);
  const { status } = await bench.sks();
  expect(status).toMatchObject({ serviceName: NAME, privateServiceName: PRIVATE, observedGeneration: 1 });
  expect(await bench.condition("Ready")).toBe("True");
});

test("W-3: without its Deployment there is no selector, so nothing is made", async () => {
  await using bench = await Bench.start({ without: "deployment" });
  expect(String(await bench.look())).toContain("scalable Deployment");
  expect(bench.client.writes).toEqual([`status ServerlessService ${NAME}`]);
});

test.each(["activators", "pods"] as const)(
  "W-4, K-44: without the endpoints of the %s both Services stand and wait",
  async (without) => {
    await using bench = await Bench.start({ without });
    expect(String(await bench.look())).toContain("not found");
    expect(await bench.service(PRIVATE)).toBeDefined();
    expect(await bench.service(NAME)).toBeDefined();
    expect(await bench.publicIps()).toBeUndefined();
    expect(await bench.condition("EndpointsPopulated")).toBe("Unknown CreatingPublicService");
  },
);

describe("W-5, K-47: a creation is refused", () => {
  test.each([
    { write: `create Service ${PRIVATE}`, reason: "CreatingPrivateService", names: [undefined, undefined] },
    { write: `create Service ${NAME}`, reason: "CreatingPublicService", names: [PRIVATE, undefined] },
    { write: `create Endpoints ${NAME}`, reason: "CreatingPublicEndpoints", names: [PRIVATE, NAME] },
  ])("$write: $reason", async ({ write, reason, names }) => {
    await using bench = await Bench.start();
    bench.client.refused.add(write);
    expect(String(await bench.look())).toContain("refused");
    expect(await bench.condition("Ready")).toBe(`Unknown ${reason}`);
    const { status } = await bench.sks();
    expect([status?.privateServiceName, status?.serviceName]).toEqual(names);
  });
});

describe("W-6: an update is refused", () => {
  test("of the private Service: the condition says what was tried", async () => {
    await using bench = await Bench.start();
    await bench.look();
    await tamper(bench, PRIVATE);
    bench.client.refused.add(`update Service ${PRIVATE}`);
    expect(String(await bench.look())).toContain("refused");
    expect(await bench.condition("EndpointsPopulated")).toBe("Unknown UpdatingPrivateService");
  });

  test.each([`update Service ${NAME}`, `update Endpoints ${NAME}`])("%s: conditions stay", async (write) => {
    await using bench = await Bench.start();
    await bench.look();
    await tamper(bench, NAME);
    await bench.pods("10.1.0.1", "10.1.0.2");
    bench.client.refused.add(write);
    expect(String(await bench.look())).toContain("refused");
    expect(await bench.condition("EndpointsPopulated")).toBe("True");
    bench.client.refused.clear();
    expect(await bench.look()).toBeUndefined();
    expect(await bench.publicIps()).toEqual(["10.1.0.1", "10.1.0.2"]);
  });
});

async function tamper(bench: Bench, name: string): Promise<void> {
  const service = await bench.inner.get(ServiceKind, { namespace, name });
  await bench.inner.update(ServiceKind, {
    ...service,
    spec: { ...service.spec, selector: { app: "other" } },
  });
}

test("W-7, K-21, K-28: a selector somebody put on is taken off, one somebody changed is restored", async () => {
  await using bench = await Bench.start();
  await bench.look();
  await tamper(bench, NAME);
  await tamper(bench, PRIVATE);
  expect(await bench.look()).toBeUndefined();
  expect((await bench.service(NAME))?.spec.selector).toBeUndefined();
  expect((await bench.service(PRIVATE))?.spec.selector).toEqual(SELECTOR);
});

describe("W-8: a name held by somebody else", () => {
  test.each([
    { kind: "Service", name: PRIVATE, later: [NAME] },
    { kind: "Service", name: NAME, later: [] },
    { kind: "Endpoints", name: NAME, later: [] },
  ])("$kind $name: NotOwned, and it is left alone", async ({ kind, name, later }) => {
    await using bench = await Bench.start();
    const metadata = { name, namespace };
    if (kind === "Service") {
      await bench.inner.create(ServiceKind, {
        apiVersion: "v1",
        kind,
        metadata,
        spec: { ports: [{ port: 1 }] },
      });
    } else {
      await bench.inner.create(EndpointsKind, { apiVersion: "v1", kind, metadata, subsets: [] });
    }
    expect(String(await bench.look())).toContain("do not own");
    expect(await bench.condition("Ready")).toBe("False NotOwned");
    if (kind === "Service") expect((await bench.service(name))?.spec.ports?.[0]?.port).toBe(1);
    for (const skipped of later) expect(await bench.service(skipped)).toBeUndefined();
    if (kind === "Service") expect(await bench.publicIps()).toBeUndefined();
  });
});

test("W-9: an h2c revision's public endpoints keep its own port", async () => {
  await using bench = await Bench.start({ protocol: "h2c" });
  await bench.look();
  const { subsets } = await bench.inner.get(EndpointsKind, { namespace, name: NAME });
  expect(subsets?.[0]?.ports).toEqual([expect.objectContaining({ name: "http2", port: 8013 })]);
});

test("W-14: another activator shows in Proxy, and not in Serve while there are pods", async () => {
  for (const mode of ["Serve", "Proxy"] as const) {
    await using bench = await Bench.start({ mode });
    await bench.look();
    await bench.activators("10.9.0.1", "10.9.0.2");
    await bench.look();
    expect(await bench.publicIps()).toEqual(mode === "Proxy" ? ["10.9.0.1", "10.9.0.2"] : P);
    expect(bench.client.writes).toEqual(mode === "Proxy" ? [`update Endpoints ${NAME}`] : []);
  }
});

test("K-43, K-93: when the activators' endpoints vanish altogether, the public ones stay as they are", async () => {
  await using bench = await Bench.start({ mode: "Proxy" });
  await bench.look();
  await bench.inner.delete(EndpointsKind, { namespace: "knative-serving", name: "activator-service" });
  expect(String(await bench.look())).toContain("activator-service");
  expect(await bench.publicIps()).toEqual(A);
  expect(await bench.condition("EndpointsPopulated")).toBe("True");
});

test("K-14: one that is being deleted is left to the garbage collector", async () => {
  await using bench = await Bench.start();
  const sks = await bench.sks();
  const metadata = { ...sks.metadata, finalizers: ["example.com/wait"] };
  await bench.inner.update(ServerlessServiceKind, { ...sks, metadata });
  await bench.inner.delete(ServerlessServiceKind, { namespace, name: NAME });
  expect(await bench.look()).toBeUndefined();
  expect(bench.client.writes).toEqual([]);
});

test("K-23: of a Service only ports and selector are repaired", async () => {
  await using bench = await Bench.start();
  await bench.look();
  const service = await bench.inner.get(ServiceKind, { namespace, name: PRIVATE });
  await bench.inner.update(ServiceKind, {
    ...service,
    spec: { ...service.spec, sessionAffinity: "ClientIP", ports: [{ port: 1 }] },
  });
  expect(await bench.look()).toBeUndefined();
  const repaired = await bench.service(PRIVATE);
  expect(repaired?.spec.sessionAffinity).toBe("ClientIP");
  expect(repaired?.spec.ports).toEqual(service.spec.ports);
});

test("K-30, K-94, K-96: the public endpoints are core Endpoints of the public Service's name, labelled and owned", async () => {
  await using bench = await Bench.start();
  await bench.look();
  const { kind, apiVersion, metadata } = await bench.inner.get(EndpointsKind, { namespace, name: NAME });
  expect([apiVersion, kind]).toEqual(["v1", "Endpoints"]);
  expect(metadata.labels).toMatchObject({
    "networking.internal.knative.dev/serverlessservice": NAME,
    "networking.internal.knative.dev/serviceType": "Public",
  });
  expect(metadata.ownerReferences).toEqual([
    expect.objectContaining({ kind: "ServerlessService", name: NAME }),
  ]);
});

test("K-45: who is in the path is information, and Ready follows the endpoints alone", async () => {
  await using bench = await Bench.start();
  await bench.look();
  const { status } = await bench.sks();
  expect(findCondition(status?.conditions, ACTIVATORS)).toMatchObject({ severity: "Info", status: "False" });
  expect(findCondition(status?.conditions, "Ready")).toMatchObject({ status: "True" });
  expect(findCondition(status?.conditions, "EndpointsPopulated")?.severity).toBeUndefined();
});

test.each<{ why: string; without?: "activators"; refused?: string; isForeign?: boolean }>([
  { why: "no endpoints of the activators", without: "activators" },
  { why: "the private Service is refused", refused: `create Service ${PRIVATE}` },
  { why: "the public Service is refused", refused: `create Service ${NAME}` },
  { why: "the public endpoints are refused", refused: `create Endpoints ${NAME}` },
  { why: "a name is somebody else's", isForeign: true },
])("K-42: $why: a Warning, InternalError", async ({ without, refused, isForeign }) => {
  await using bench = await Bench.start(without === undefined ? {} : { without });
  if (refused !== undefined) bench.client.refused.add(refused);
  if (isForeign === true) {
    const metadata = { name: NAME, namespace };
    await bench.inner.create(EndpointsKind, { apiVersion: "v1", kind: "Endpoints", metadata, subsets: [] });
  }
  await bench.look();
  const { items } = await bench.inner.list(EventKind, { namespace });
  expect(items).toEqual([
    expect.objectContaining({
      type: "Warning",
      reason: "InternalError",
      involvedObject: expect.objectContaining({ kind: "ServerlessService", name: NAME }),
    }),
  ]);
});

test.each(["deployment", "pods"] as const)(
  "K-42, K-44: what usually comes a moment later, as the %s, is waited for without a word",
  async (without) => {
    await using bench = await Bench.start({ without });
    expect(await bench.look()).toBeDefined();
    expect((await bench.inner.list(EventKind, { namespace })).items).toEqual([]);
  },
);

test("K-51: a status that cannot be written is told as UpdateFailed", async () => {
  await using bench = await Bench.start();
  bench.client.refused.add(`status ServerlessService ${NAME}`);
  expect(await bench.look()).toBeDefined();
  const { items } = await bench.inner.list(EventKind, { namespace });
  expect(items.map(({ reason }) => reason)).toContain("UpdateFailed");
});

describe("K-52: what brings a pass", () => {
  test("K-92: activators that come back are in every revision's path again; pods, Services and modes count too", async () => {
    await using bench = await Bench.start({ mode: "Proxy" });
    await bench.look();
    const deps = { client: bench.inner, clock: bench.clock, random: new SeededRandom(3), log: silentLogger };
    const controller = await Controller.start(deps);
    await bench.clock.settle();
    await bench.activators();
    await bench.clock.settle();
    expect(await bench.publicIps()).toEqual(P);
    await bench.activators("10.9.0.7");
    await bench.clock.settle();
    expect(await bench.publicIps()).toEqual(["10.9.0.7"]);
    await bench.setMode("Serve");
    await bench.clock.settle();
    expect(await bench.publicIps()).toEqual(P);
    await bench.privatePods("10.1.0.2", "10.1.0.3");
    await bench.clock.settle();
    expect(await bench.publicIps()).toEqual(["10.1.0.2", "10.1.0.3"]);
    await tamper(bench, NAME);
    await bench.clock.settle();
    expect((await bench.service(NAME))?.spec.selector).toBeUndefined();
    await controller.close();
  });

  test("K-39: edits of the public endpoints bring none, and are gone after the next", async () => {
    await using bench = await Bench.start();
    await bench.look();
    const deps = { client: bench.inner, clock: bench.clock, random: new SeededRandom(3), log: silentLogger };
    const controller = await Controller.start(deps);
    await bench.clock.settle();
    const endpoints = await bench.inner.get(EndpointsKind, { namespace, name: NAME });
    await bench.inner.update(EndpointsKind, { ...endpoints, subsets: [] });
    await bench.clock.advanceAsync(60_000);
    expect(await bench.publicIps()).toEqual([]);
    await bench.privatePods("10.1.0.1");
    await bench.clock.settle();
    expect(await bench.publicIps()).toEqual(P);
    await controller.close();
  });
});

test.each(Array.from({ length: 25 }, (_, seed) => seed))(
  "I-1, I-2, I-3, I-9, I-10, K-49 hold while pods, activators and modes come and go: seed %i",
  async (seed) => {
    const random = new SeededRandom(seed);
    await using bench = await Bench.start({ mode: "Proxy", numActivators: 2 });
    await bench.look();
    const ports = (await bench.service(NAME))?.spec.ports;
    const uid = (await bench.service(NAME))?.metadata.uid;
    let pods: readonly string[] = P;
    let activators: readonly string[] = A;
    const some = (prefix: string, max: number): readonly string[] =>
      Array.from({ length: random.integer(0, max) }, (_, index) => `${prefix}.${index + 1}`);
    for (let step = 0; step < 30; step++) {
      if (random.chance(0.5)) pods = some("10.1.0", 3);
      if (random.chance(0.4)) activators = some("10.9.0", 5);
      await bench.pods(...pods);
      await bench.activators(...activators);
      if (random.chance(0.4)) await bench.setMode(random.chance(0.5) ? "Serve" : "Proxy");
      const before = findCondition((await bench.sks()).status?.conditions, ACTIVATORS);
      bench.clock.advance(1_000);
      expect(await bench.look()).toBeUndefined();
      const after = findCondition((await bench.sks()).status?.conditions, ACTIVATORS);
      if (before?.status === after?.status)
        expect(after?.lastTransitionTime).toBe(before?.lastTransitionTime);
      const found = (await bench.publicIps()) ?? [];
      if (pods.length + activators.length > 0) expect(found.length).toBeGreaterThan(0);
      if (found.some((ip) => !activators.includes(ip))) expect(found).toEqual(pods);
      const service = await bench.service(NAME);
      expect([service?.spec.ports, service?.metadata.uid]).toEqual([ports, uid]);
      await bench.look();
      expect(bench.client.writes).toEqual([]);
    }
  },
);

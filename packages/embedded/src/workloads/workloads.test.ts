import {
  type Deployment,
  DeploymentKind,
  type Endpoints,
  EndpointsKind,
  findCondition,
  GarbageCollector,
  InProcessKubeClient,
  isKubeError,
  type KubeClient,
  KubeError,
  ObjectStore,
  objectKey,
  type Pod,
  PodKind,
  rfc3339,
  SeededRandom,
  type Service,
  ServiceKind,
  type Stored,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { Workloads } from "./workloads.ts";

const NAMESPACE = "default";
const ref = { namespace: NAMESPACE, name: "web" };

function deployment(replicas: number, command = "v1"): Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: NAMESPACE },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      progressDeadlineSeconds: 60,
      template: {
        metadata: { labels: { app: "web" }, annotations: { kept: "yes" } },
        spec: { containers: [{ name: "c", image: "none", command: [command] }] },
      },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0 } },
    },
  };
}

const service: Service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: NAMESPACE, labels: { l: "1" } },
  spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: 8_012 }] },
};

/** Workloads over a store, without a kubelet: pods become ready when a test says so. */
async function setup(wrap: (client: KubeClient, clock: VirtualClock) => KubeClient = (client) => client) {
  const clock = new VirtualClock();
  const random = new SeededRandom(5);
  const store = new ObjectStore({ wall: () => clock.wall(), random }, { namespaces: [NAMESPACE] });
  const collector = new GarbageCollector({ store, clock });
  const client = new InProcessKubeClient({ store, clock });
  const created: string[] = [];
  const inFlight = new Map<string, number>();
  const starting = Workloads.start({
    client: wrap(client, clock),
    clock,
    random,
    log: silentLogger,
    inFlight: (pod) => inFlight.get(pod) ?? 0,
    podCreated: (pod) => created.push(pod),
  });
  await clock.settle();
  const workloads = await starting;
  onTestFinished(async () => {
    await workloads.close();
    collector[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
  });
  const pods = async (): Promise<readonly Stored<Pod>[]> => (await client.list(PodKind)).items;
  const ready = async (name: string, ip: string, isReady = true): Promise<void> => {
    const pod = await client.get(PodKind, { namespace: NAMESPACE, name });
    await client.updateStatus(PodKind, {
      ...pod,
      status: {
        phase: "Running",
        podIP: ip,
        startTime: rfc3339(clock.wall()),
        conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
      },
    });
    await clock.settle();
  };
  const scale = async (replicas: number): Promise<void> => {
    await client.patch(DeploymentKind, ref, { kind: "merge", body: { spec: { replicas } } }, "scale");
    await clock.settle();
  };
  const read = async (): Promise<Stored<Deployment>> => await client.get(DeploymentKind, ref);
  const endpoints = async (): Promise<Stored<Endpoints>> => await client.get(EndpointsKind, ref);
  return { clock, client, created, inFlight, pods, ready, scale, read, endpoints, workloads };
}

describe("Deployments", () => {
  test("pods come from the template: name, labels, annotations, owner, node", async () => {
    const home = await setup();
    const owner = await home.client.create(DeploymentKind, deployment(2));
    await home.clock.settle();
    const pods = await home.pods();
    expect(pods).toHaveLength(2);
    for (const { metadata, spec } of pods) {
      expect(metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      expect(metadata.labels).toMatchObject({
        app: "web",
        "pod-template-hash": expect.stringMatching(/^[0-9a-f]{10}$/),
      });
      expect(metadata.annotations).toEqual({ kept: "yes" });
      expect(metadata.ownerReferences).toMatchObject([
        { kind: "Deployment", name: "web", uid: owner.metadata.uid, controller: true },
      ]);
      expect([spec.nodeName, spec.restartPolicy]).toEqual(["rouse", "Always"]);
    }
    expect([...home.created].sort()).toEqual(pods.map(({ metadata }) => objectKey(metadata)).sort());
  });

  test("a pod is asked for in the turn that follows the scale patch: no timer is on the way (design §5)", async () => {
    const home = await setup();
    await home.client.create(DeploymentKind, deployment(0));
    await home.clock.settle();
    await home.client.patch(DeploymentKind, ref, { kind: "merge", body: { spec: { replicas: 1 } } }, "scale");
    home.clock.advance(0);
    expect(home.created).toHaveLength(1);
    await home.clock.settle();
    expect(await home.pods()).toHaveLength(1);
  });

  test("whatever comes while pods are being made, there are never more than asked for", async () => {
    const home = await setup();
    await home.client.create(DeploymentKind, deployment(5));
    for (let step = 0; step < 20; step++) {
      await home.client.patch(DeploymentKind, ref, {
        kind: "merge",
        body: { metadata: { labels: { step: `${step}` } } },
      });
      home.clock.advance(0);
      await Promise.resolve();
      expect((await home.pods()).length).toBeLessThanOrEqual(5);
    }
    await home.clock.settle();
    expect(await home.pods()).toHaveLength(5);
  });

  test("a watch that lags makes no pod twice and deletes none too many", async () => {
    const home = await setup(lagging);
    await home.client.create(DeploymentKind, deployment(0));
    await home.clock.advanceAsync(1_000);
    const live = async () =>
      (await home.pods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined).length;
    for (const replicas of [5, 2, 4, 1, 3]) {
      await home.scale(replicas);
      const before = await live();
      for (let step = 0; step < 50; step++) {
        // Something else of the Deployment changes all the time, so that passes run on what the watch has not shown.
        const body = { metadata: { annotations: { step: `${replicas}.${step}` } } };
        await home.client.patch(DeploymentKind, ref, { kind: "merge", body });
        await home.clock.advanceAsync(7);
        expect(await live()).toBeLessThanOrEqual(Math.max(before, replicas));
        expect(await live()).toBeGreaterThanOrEqual(Math.min(before, replicas));
      }
      expect(await live()).toBe(replicas);
    }
    await home.clock.advanceAsync(1_000);
  });

  test("a pod whose deletion the watch has not shown is not spared for another", async () => {
    const home = await setup(lagging);
    await home.client.create(DeploymentKind, deployment(2));
    await home.clock.advanceAsync(1_000);
    const live = async () =>
      (await home.pods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const names = (await live()).map(({ metadata }) => metadata.name);
    await home.scale(1);
    await home.clock.advanceAsync(2);
    const [kept] = await live();
    // The one that goes gets a request late; by load alone the other would be next.
    for (const name of names) {
      if (name !== kept?.metadata.name) home.inFlight.set(`${NAMESPACE}/${name}`, 9);
    }
    await home.client.patch(DeploymentKind, ref, {
      kind: "merge",
      body: { metadata: { labels: { x: "y" } } },
    });
    await home.clock.advanceAsync(1_000);
    expect((await live()).map(({ metadata }) => metadata.name)).toEqual([kept?.metadata.name]);
  });

  test("status follows the pods; what is terminating does not count and is replaced", async () => {
    const home = await setup();
    await home.client.create(DeploymentKind, deployment(2));
    await home.clock.settle();
    const [first, second] = await home.pods();
    await home.ready(first?.metadata.name ?? "", "127.1.0.1");
    await home.ready(second?.metadata.name ?? "", "127.1.0.2");
    const status = (await home.read()).status;
    expect(status).toMatchObject({
      observedGeneration: 1,
      replicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
    });
    await home.client.delete(PodKind, { namespace: NAMESPACE, name: first?.metadata.name ?? "" });
    await home.clock.settle();
    expect(await home.pods()).toHaveLength(3);
    expect((await home.read()).status).toMatchObject({ replicas: 2, readyReplicas: 1 });
  });

  test("the deadline passes without anything happening: the condition says so by itself (C-58)", async () => {
    const home = await setup();
    await home.client.create(DeploymentKind, deployment(1));
    await home.clock.advanceAsync(59_000);
    const progressing = async () => findCondition((await home.read()).status?.conditions, "Progressing");
    expect((await progressing())?.status).toBe("True");
    await home.clock.advanceAsync(2_000);
    expect(await progressing()).toMatchObject({ status: "False", reason: "ProgressDeadlineExceeded" });
  });

  test("a new template replaces pods one by one, always with the replicas ready", async () => {
    const home = await setup();
    await home.client.create(DeploymentKind, deployment(2));
    await home.clock.settle();
    let ip = 1;
    for (const { metadata } of await home.pods()) await home.ready(metadata.name, `127.1.0.${ip++}`);
    await home.client.update(DeploymentKind, deployment(2, "v2"));
    await home.clock.settle();
    for (let step = 0; step < 10; step++) {
      const pods = await home.pods();
      for (const pod of pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined)) {
        await home.client.delete(
          PodKind,
          { namespace: NAMESPACE, name: pod.metadata.name },
          { gracePeriodSeconds: 0 },
        );
      }
      const live = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      expect(live.length).toBeLessThanOrEqual(3);
      const isReady = ({ status }: Stored<Pod>) =>
        findCondition(status?.conditions, "Ready")?.status === "True";
      expect(live.filter(isReady).length).toBeGreaterThanOrEqual(2);
      const starting = live.find((pod) => !isReady(pod));
      if (starting !== undefined) await home.ready(starting.metadata.name, `127.1.0.${ip++}`);
      await home.clock.settle();
    }
    const pods = await home.pods();
    expect(pods.map(({ spec }) => spec.containers[0]?.command)).toEqual([["v2"], ["v2"]]);
    const { status } = await home.read();
    expect(status).toMatchObject({ updatedReplicas: 2, replicas: 2 });
    expect(findCondition(status?.conditions, "Progressing")?.reason).toBe("NewReplicaSetAvailable");
  });

  test("writing the same template in another order rolls nothing", async () => {
    const home = await setup();
    await home.client.create(DeploymentKind, deployment(1));
    await home.clock.settle();
    const [before] = await home.pods();
    const { spec, ...rest } = deployment(1);
    const { metadata, spec: podSpec } = spec.template;
    await home.client.update(DeploymentKind, {
      ...rest,
      spec: { ...spec, template: { spec: podSpec, ...(metadata === undefined ? {} : { metadata }) } },
    });
    await home.clock.settle();
    expect((await home.pods()).map(({ metadata: { name } }) => name)).toEqual([before?.metadata.name]);
  });

  test("scaling down: not ready first, then the least busy", async () => {
    const home = await setup();
    await home.client.create(DeploymentKind, deployment(3));
    await home.clock.settle();
    const names = (await home.pods()).map(({ metadata }) => metadata.name);
    const [busy = "", idle = "", starting = ""] = names;
    await home.ready(busy, "127.1.0.1");
    await home.ready(idle, "127.1.0.2");
    home.inFlight.set(`${NAMESPACE}/${busy}`, 3);
    const left = async () =>
      (await home.pods()).flatMap(({ metadata: { name, deletionTimestamp } }) =>
        deletionTimestamp === undefined ? [name] : [],
      );
    await home.scale(2);
    expect(await left()).not.toContain(starting);
    await home.scale(1);
    expect(await left()).toEqual([busy]);
  });

  test("pods that cannot be created are said in a condition and tried again", async () => {
    let isRefusing = true;
    const home = await setup((client) => refusing(client, () => isRefusing));
    await home.client.create(DeploymentKind, deployment(1));
    await home.clock.settle();
    expect(findCondition((await home.read()).status?.conditions, "ReplicaFailure")).toMatchObject({
      status: "True",
      reason: "FailedCreate",
      message: "no more pods",
    });
    isRefusing = false;
    await home.clock.advanceAsync(1_000);
    expect(await home.pods()).toHaveLength(1);
    expect(findCondition((await home.read()).status?.conditions, "ReplicaFailure")).toBeUndefined();
  });

  test("nothing changes, nothing is written", async () => {
    const home = await setup();
    await home.client.create(DeploymentKind, deployment(1));
    await home.client.create(ServiceKind, service);
    await home.clock.settle();
    const version = async () => (await home.client.list(PodKind)).resourceVersion;
    const before = await version();
    await home.clock.advanceAsync(30_000);
    expect(await version()).toBe(before);
  });

  test("with the Deployment its pods go", async () => {
    const home = await setup();
    await home.client.create(DeploymentKind, deployment(2));
    await home.clock.settle();
    await home.client.delete(DeploymentKind, ref);
    await home.clock.settle();
    const left = (await home.pods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    expect(left).toEqual([]);
  });
});

describe("Endpoints", () => {
  test("are named and labelled like the Service and follow its pods (K-24)", async () => {
    const home = await setup();
    await home.client.create(ServiceKind, service);
    await home.client.create(DeploymentKind, deployment(1));
    await home.clock.settle();
    expect((await home.endpoints()).metadata.labels).toEqual({ l: "1" });
    const [pod] = await home.pods();
    const name = pod?.metadata.name ?? "";
    const lists = async () => {
      const [subset] = (await home.endpoints()).subsets ?? [];
      return [subset?.addresses?.map(({ ip }) => ip), subset?.notReadyAddresses?.map(({ ip }) => ip)];
    };
    await home.ready(name, "127.1.0.1", false);
    expect(await lists()).toEqual([undefined, ["127.1.0.1"]]);
    await home.ready(name, "127.1.0.1");
    expect(await lists()).toEqual([["127.1.0.1"], undefined]);
    await home.client.delete(PodKind, { namespace: NAMESPACE, name });
    await home.clock.settle();
    expect(await lists()).toEqual([undefined, undefined]);
  });

  test("a pod that is given other labels leaves them", async () => {
    const home = await setup();
    await home.client.create(ServiceKind, service);
    await home.client.create(DeploymentKind, deployment(1));
    await home.clock.settle();
    const name = (await home.pods())[0]?.metadata.name ?? "";
    await home.ready(name, "127.1.0.1");
    expect((await home.endpoints()).subsets).toHaveLength(1);
    const body = { metadata: { labels: { app: "none" } } };
    await home.client.patch(PodKind, { namespace: NAMESPACE, name }, { kind: "merge", body });
    await home.clock.settle();
    expect((await home.endpoints()).subsets).toEqual([]);
  });

  test("follow a change of the Service: labels, ports, selector", async () => {
    const home = await setup();
    await home.client.create(ServiceKind, service);
    await home.client.create(DeploymentKind, deployment(1));
    await home.clock.settle();
    await home.ready((await home.pods())[0]?.metadata.name ?? "", "127.1.0.1");
    const ports = [{ name: "http", port: 80, targetPort: 8_013 }];
    await home.client.update(ServiceKind, {
      ...service,
      metadata: { ...service.metadata, labels: { l: "2" } },
      spec: { ...service.spec, ports },
    });
    await home.clock.settle();
    expect((await home.endpoints()).metadata.labels).toEqual({ l: "2" });
    expect((await home.endpoints()).subsets?.[0]?.ports?.[0]?.port).toBe(8_013);
    await home.client.update(ServiceKind, {
      ...service,
      spec: { ...service.spec, selector: { app: "other" } },
    });
    await home.clock.settle();
    expect((await home.endpoints()).subsets).toEqual([]);
  });

  test("changed by someone else they are put right; removed they come back", async () => {
    const home = await setup();
    await home.client.create(ServiceKind, service);
    await home.clock.settle();
    await home.client.patch(EndpointsKind, ref, {
      kind: "merge",
      body: { subsets: [{ addresses: [{ ip: "127.9.9.9" }] }] },
    });
    await home.clock.settle();
    expect((await home.endpoints()).subsets).toEqual([]);
    await home.client.delete(EndpointsKind, ref);
    await home.clock.settle();
    expect((await home.endpoints()).subsets).toEqual([]);
  });

  test("of a Service without a selector are left alone", async () => {
    const home = await setup();
    await home.client.create(ServiceKind, { ...service, spec: { ports: [{ name: "http", port: 80 }] } });
    const subsets = [{ addresses: [{ ip: "127.9.9.9" }], ports: [{ port: 1 }] }];
    await home.client.create(EndpointsKind, { apiVersion: "v1", kind: "Endpoints", metadata: ref, subsets });
    await home.clock.settle();
    expect((await home.endpoints()).subsets).toMatchObject([{ addresses: [{ ip: "127.9.9.9" }] }]);
    await home.client.delete(ServiceKind, ref);
    await home.clock.settle();
    expect((await home.endpoints()).subsets).toHaveLength(1);
  });

  test("go with their Service", async () => {
    const home = await setup();
    await home.client.create(ServiceKind, service);
    await home.clock.settle();
    await home.client.delete(ServiceKind, ref);
    await home.clock.settle();
    await expect(home.endpoints()).rejects.toSatisfy((error) => isKubeError(error, "NotFound"));
  });
});

/** A client whose watches tell of every change 30 ms late. */
function lagging(client: KubeClient, clock: VirtualClock): KubeClient {
  return {
    ...refusing(client, () => false),
    watch: (kind, query, sink) =>
      client.watch(kind, query, {
        event: (event) => void clock.after(kind.kind === "Pod" ? 30 : 1, () => sink.event(event)),
        closed: (reason) => sink.closed(reason),
      }),
  };
}

/** A client that refuses to create pods while told to. */
function refusing(client: KubeClient, isRefusing: () => boolean): KubeClient {
  const refuse = () => Promise.reject(new KubeError("Forbidden", "no more pods"));
  return {
    get: (kind, of) => client.get(kind, of),
    list: (kind, query) => client.list(kind, query),
    watch: (kind, query, sink) => client.watch(kind, query, sink),
    create: (kind, object) => (kind.kind === "Pod" && isRefusing() ? refuse() : client.create(kind, object)),
    update: (kind, object) => client.update(kind, object),
    updateStatus: (kind, object) => client.updateStatus(kind, object),
    patch: (kind, of, patch, subresource) => client.patch(kind, of, patch, subresource),
    delete: (kind, of, options) => client.delete(kind, of, options),
  };
}

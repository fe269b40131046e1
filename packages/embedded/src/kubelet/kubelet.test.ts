import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ContainerState,
  findCondition,
  InProcessKubeClient,
  isKubeError,
  ObjectStore,
  objectKey,
  type Pod,
  PodKind,
  rouse,
  SeededRandom,
  type Stored,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { Kubelet, type KubeletOptions } from "./kubelet.ts";
import { addressInUse, FakeRunner, FakeSidecars } from "./testing/fakes.ts";
import { NAMESPACE, podOf, scriptPod } from "./testing/home.ts";

const ref = { namespace: NAMESPACE, name: "one" };
const one = objectKey(ref);

async function setup(options: Partial<KubeletOptions> = {}) {
  const clock = new VirtualClock();
  const random = new SeededRandom(3);
  const store = new ObjectStore({ wall: () => clock.wall(), random }, { namespaces: [NAMESPACE] });
  const client = new InProcessKubeClient({ store, clock });
  const dataDirectory = mkdtempSync(join(tmpdir(), "rouse-kubelet-"));
  const runner = new FakeRunner();
  const sidecars = new FakeSidecars();
  const told: string[] = [];
  const start = () =>
    Kubelet.start(
      {
        client,
        clock,
        random,
        log: silentLogger,
        sidecars,
        runner,
        hooks: {
          onReady: (pod) => told.push(`${pod.metadata.name} ready`),
          onOutput: (_pod, stream, line) => told.push(`${stream} ${line}`),
        },
      },
      { dataDirectory, hasPodAddresses: true, ...options },
    );
  const starting = start();
  await clock.settle();
  const kubelet = await starting;
  onTestFinished(async () => {
    const closing = kubelet.close(0);
    await clock.advanceAsync(10_000);
    await closing;
    rmSync(dataDirectory, { recursive: true, force: true });
  });
  const settle = () => clock.settle();
  const pod = async (): Promise<Stored<Pod>> => await client.get(PodKind, ref);
  const exists = () =>
    client.get(PodKind, ref).then(
      () => true,
      (error: unknown) => !isKubeError(error, "NotFound"),
    );
  return { clock, client, kubelet, runner, sidecars, told, settle, pod, exists, start };
}

type Setup = Awaited<ReturnType<typeof setup>>;

const readiness = (pod: Stored<Pod>): string | undefined =>
  findCondition(pod.status?.conditions, "Ready")?.status;
const userState = (pod: Stored<Pod>): ContainerState | undefined => pod.status?.containerStatuses?.[0]?.state;

/** A pod that has become ready. */
async function readyPod(home: Setup, of: Pod = scriptPod("one", "")): Promise<void> {
  await home.client.create(PodKind, of);
  await home.settle();
  home.sidecars.latest.ready();
  await home.settle();
}

describe("starting", () => {
  test("first the process, then its sidecar, then one status; readiness is told before it is written", async () => {
    const home = await setup();
    const { client, clock, runner, sidecars, told } = home;
    const written: string[] = [];
    const { resourceVersion } = await client.list(PodKind);
    using _watch = client.watch(
      PodKind,
      { resourceVersion },
      {
        event: (event) => {
          if (event.type === "MODIFIED" && event.object.status?.startTime !== undefined) {
            written.push(`Ready=${readiness(event.object)} after [${told.join()}]`);
          }
        },
        closed: () => {},
      },
    );
    await client.create(PodKind, scriptPod("one", ""));
    expect(runner.started).toHaveLength(0);
    clock.advance(0); // the turn in which the watch shows the pod; no promise has been waited for
    expect([runner.started.length, sidecars.places.length]).toEqual([1, 1]);
    await home.settle();
    expect([runner.started.length, sidecars.started.length, written]).toEqual([
      1,
      1,
      ["Ready=False after []"],
    ]);
    clock.advance(5);
    sidecars.latest.ready();
    await home.settle();
    expect(written).toEqual(["Ready=False after []", "Ready=True after [one ready]"]);
    const pod = await home.pod();
    expect(pod.metadata.annotations?.[rouse.userPort]).toBe(runner.latest.program.environment.PORT);
    expect(pod.metadata.annotations?.[rouse.queuePort]).toBeUndefined();
    expect(pod.status?.podIP).toBe(sidecars.latest.address.ip);
    expect(home.kubelet.timeline(one)).toMatchObject({ seen: 0, spawned: 0, portOpen: 5, ready: 5 });
  });

  test("a pod address that is in use is given up for the next one", async () => {
    const home = await setup();
    home.sidecars.failures = { error: addressInUse(), times: 2 };
    await readyPod(home);
    const ips = home.sidecars.places.map(({ ip }) => ip);
    expect(new Set(ips).size).toBe(3);
    expect((await home.pod()).status?.podIP).toBe(ips[2]);
    expect(readiness(await home.pod())).toBe("True");
  });

  test("a sidecar that cannot start is shown and tried again, the process lives on", async () => {
    const home = await setup();
    home.sidecars.failures = { error: new Error("no sockets left"), times: 2 };
    await home.client.create(PodKind, scriptPod("one", ""));
    await home.settle();
    expect((await home.pod()).status?.containerStatuses?.[1]?.state).toEqual({
      waiting: { reason: "CreateContainerError", message: "no sockets left" },
    });
    await home.clock.advanceAsync(3_000);
    home.sidecars.latest.ready();
    await home.settle();
    expect(readiness(await home.pod())).toBe("True");
    expect(home.runner.started).toHaveLength(1);
  });

  test("a program with a fixed port is told that one", async () => {
    const home = await setup();
    await readyPod(home, scriptPod("one", "", { annotations: { [rouse.fixedPort]: "true" } }));
    expect(home.runner.latest.program.environment.PORT).toBe("8080");
    expect(home.sidecars.places[0]?.userPort).toBe(8_080);
  });

  test("a second one with that port waits, and says for whom, until the first is gone", async () => {
    const home = await setup();
    const annotations = { [rouse.fixedPort]: "true" };
    await readyPod(home, scriptPod("one", "", { annotations }));
    await home.client.create(PodKind, scriptPod("two", "", { annotations }));
    await home.settle();
    const { status } = await home.client.get(PodKind, { ...ref, name: "two" });
    expect(status).toMatchObject({
      phase: "Pending",
      conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }],
      message: "port 8080 belongs to pod default/one as long as it lives",
    });
    expect(home.runner.started).toHaveLength(1);
    await home.client.delete(PodKind, ref);
    await home.settle();
    home.sidecars.latest.drained?.();
    await home.settle();
    expect(home.runner.started).toHaveLength(2);
  });

  test("where pods share an address the pod says its queue-proxy's port before it says it is ready", async () => {
    const home = await setup({ hasPodAddresses: false });
    await readyPod(home);
    const pod = await home.pod();
    expect(pod.metadata.annotations?.[rouse.queuePort]).toBe(String(home.sidecars.latest.address.port));
    expect(home.sidecars.latest.address).toMatchObject({ ip: "127.0.0.1" });
    expect(home.sidecars.latest.address.port).not.toBe(8_012);
  });

  test("a pod without queue-proxy is ready when its process runs", async () => {
    const home = await setup();
    const { metadata, spec, ...rest } = scriptPod("one", "");
    const containers = spec.containers.slice(0, 1);
    await home.client.create(PodKind, {
      ...rest,
      metadata: { ...metadata, labels: {} },
      spec: { ...spec, containers },
    });
    await home.settle();
    expect(readiness(await home.pod())).toBe("True");
    expect(home.sidecars.places).toEqual([]);
  });

  test("a pod of another node is not ours; one of no node becomes ours", async () => {
    const home = await setup();
    const base = scriptPod("one", "");
    await home.client.create(PodKind, { ...base, spec: { ...base.spec, nodeName: "elsewhere" } });
    await home.settle();
    expect(home.runner.started).toEqual([]);
    const { nodeName: _, ...spec } = base.spec;
    await home.client.create(PodKind, { ...base, metadata: { ...base.metadata, name: "two" }, spec });
    await home.settle();
    expect(home.runner.started).toHaveLength(1);
    const bound = await home.client.get(PodKind, { ...ref, name: "two" });
    expect(bound.spec.nodeName).toBe("rouse");
  });
});

describe("ends of processes", () => {
  test("unready at once, started again at once, then after 10 s, 20 s; the same port, the same sidecar", async () => {
    const home = await setup();
    const { clock, runner, sidecars } = home;
    await readyPod(home);
    runner.latest.write("oops\n", "stderr");
    runner.latest.exit({ exitCode: 7 });
    await home.settle();
    expect(readiness(await home.pod())).toBe("False");
    expect(runner.started).toHaveLength(2);
    runner.latest.exit({ exitCode: 7 });
    await home.settle();
    const pod = await home.pod();
    expect(pod.status?.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      state: { waiting: { reason: "CrashLoopBackOff", message: "restart in 10 s: exit code 7" } },
      lastState: { terminated: { exitCode: 7, reason: "Error" } },
    });
    await clock.advanceAsync(9_999);
    expect(runner.started).toHaveLength(2);
    await clock.advanceAsync(1);
    expect(runner.started).toHaveLength(3);
    sidecars.latest.ready();
    await home.settle();
    expect(readiness(await home.pod())).toBe("True");
    expect(sidecars.started).toHaveLength(1);
    expect(new Set(runner.started.map(({ program }) => program.environment.PORT)).size).toBe(1);
    expect(home.told).toEqual(["one ready", "stderr oops", "one ready"]);
  });

  test("the message of an end is of that run alone; an end without failure has none (C-167)", async () => {
    const home = await setup();
    await readyPod(home);
    home.runner.latest.write("first\nlast words");
    home.runner.latest.exit({ exitCode: 1 });
    await home.settle();
    const lastState = async () => (await home.pod()).status?.containerStatuses?.[0]?.lastState;
    expect(await lastState()).toMatchObject({ terminated: { message: "first\nlast words" } });
    home.runner.latest.write("fine");
    home.runner.latest.exit({ exitCode: 0 });
    await home.settle();
    expect(await lastState()).toMatchObject({ terminated: { exitCode: 0, reason: "Completed" } });
    expect(await lastState()).not.toHaveProperty("terminated.message");
    expect(home.kubelet.previousLogs(one)?.map(({ text }) => text)).toEqual(["fine"]);
  });

  test("a command that is found later is found", async () => {
    const home = await setup();
    home.runner.failure = { reason: "RunContainerError", message: "command not found: x" };
    await home.client.create(PodKind, podOf("one", { command: ["x"] }));
    await home.settle();
    expect((await home.pod()).status?.phase).toBe("Pending");
    expect(userState(await home.pod())).toEqual({
      waiting: { reason: "RunContainerError", message: "command not found: x" },
    });
    home.runner.failure = undefined;
    await home.clock.advanceAsync(10_000);
    home.sidecars.latest.ready();
    await home.settle();
    expect(readiness(await home.pod())).toBe("True");
  });
});

describe("deletion", () => {
  test("the sidecar serves until it has drained, then TERM, then nothing is left", async () => {
    const home = await setup();
    await readyPod(home);
    await home.client.delete(PodKind, ref);
    await home.settle();
    expect([home.runner.latest.signals, home.sidecars.latest.isClosed]).toEqual([[], false]);
    home.sidecars.latest.drained?.();
    await home.settle();
    expect([home.runner.latest.signals, home.sidecars.latest.isClosed]).toEqual([["SIGTERM"], true]);
    expect(await home.exists()).toBe(false);
    expect([home.kubelet.size, home.clock.pendingTimers]).toEqual([0, 0]);
  });

  test("a process deaf to TERM is killed at the end of the grace, measured from the deletion", async () => {
    const home = await setup();
    home.runner.heedsTerm = false;
    await readyPod(home, scriptPod("one", "", { graceSeconds: 30 }));
    await home.client.delete(PodKind, ref);
    await home.clock.advanceAsync(10_000);
    home.sidecars.latest.drained?.();
    await home.clock.advanceAsync(19_999);
    expect(home.runner.latest.signals).toEqual(["SIGTERM"]);
    await home.clock.advanceAsync(1);
    expect(home.runner.latest.signals).toEqual(["SIGTERM", "SIGKILL"]);
    expect(await home.exists()).toBe(false);
  });

  test("a pod that was never ready does not wait for requests nobody could have sent", async () => {
    const home = await setup();
    await home.client.create(PodKind, scriptPod("one", ""));
    await home.settle();
    await home.client.delete(PodKind, ref);
    await home.settle();
    expect(home.runner.latest.signals).toEqual(["SIGTERM"]);
    expect(await home.exists()).toBe(false);
  });

  test("a pod that is removed from the API by force takes its process with it", async () => {
    const home = await setup();
    home.runner.heedsTerm = false;
    await readyPod(home);
    await home.client.delete(PodKind, ref, { gracePeriodSeconds: 0 });
    await home.clock.advanceAsync(0);
    expect(home.runner.latest.signals).toEqual(["SIGTERM"]);
    await home.clock.advanceAsync(2_000);
    expect(home.runner.latest.signals).toEqual(["SIGTERM", "SIGKILL"]);
    expect(home.kubelet.size).toBe(0);
  });

  test("a pod deleted while its process waits to be started again goes at once, and nothing is started", async () => {
    const home = await setup();
    home.runner.failure = { reason: "RunContainerError", message: "command not found: x" };
    await home.client.create(PodKind, podOf("one", { command: ["x"] }));
    await home.settle();
    await home.client.delete(PodKind, ref);
    await home.clock.advanceAsync(60_000);
    expect(await home.exists()).toBe(false);
    expect(home.clock.pendingTimers).toBe(0);
  });
});

test("a home that starts again makes no use of the pods it finds (C-168)", async () => {
  const home = await setup();
  const owner = { apiVersion: "apps/v1", kind: "Deployment", name: "d", uid: "u", controller: true };
  const { metadata, ...rest } = scriptPod("one", "");
  await readyPod(home, { ...rest, metadata: { ...metadata, ownerReferences: [owner] } });
  await home.client.create(PodKind, scriptPod("bare", ""));
  await home.settle();
  const closing = home.kubelet.close(0);
  await home.clock.advanceAsync(1_000);
  await closing;
  expect(await home.exists()).toBe(true);
  const processes = home.runner.started.length;
  const next = await home.start();
  await home.settle();
  expect(await home.exists()).toBe(false); // its owner makes a new one
  expect(home.runner.started.length).toBe(processes + 1); // nobody would make the other one again
  await next.close(0);
});

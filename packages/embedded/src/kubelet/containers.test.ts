import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ConfigMapKind,
  type Container,
  EventKind,
  findCondition,
  InProcessKubeClient,
  ObjectStore,
  objectKey,
  type Pod,
  PodKind,
  rouse,
  SecretKind,
  SeededRandom,
  type Stored,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { Kubelet } from "./kubelet.ts";
import { FakeRunner, FakeSidecars } from "./testing/fakes.ts";
import { NAMESPACE, podOf, scriptPod } from "./testing/home.ts";

const ref = { namespace: NAMESPACE, name: "one" };

async function setup() {
  const clock = new VirtualClock();
  const random = new SeededRandom(3);
  const store = new ObjectStore({ wall: () => clock.wall(), random }, { namespaces: [NAMESPACE] });
  const client = new InProcessKubeClient({ store, clock });
  const dataDirectory = mkdtempSync(join(tmpdir(), "rouse-kubelet-"));
  const runner = new FakeRunner();
  const sidecars = new FakeSidecars();
  const told: string[] = [];
  const starting = Kubelet.start(
    {
      client,
      clock,
      random,
      log: silentLogger,
      sidecars,
      runner,
      hooks: { onReady: (pod) => told.push(`${pod.metadata.name} ready`) },
    },
    { dataDirectory, hasPodAddresses: true },
  );
  await clock.settle();
  const kubelet = await starting;
  onTestFinished(async () => {
    const closing = kubelet.close(0);
    await clock.advanceAsync(10_000);
    await closing;
    rmSync(dataDirectory, { recursive: true, force: true });
  });
  /** Files are written in turns of their own, which virtual time knows nothing of. */
  const until = async (is: () => boolean): Promise<void> => {
    for (let turn = 0; turn < 2_000 && !is(); turn++) {
      await clock.settle();
      await stat(dataDirectory); // behind the file work that is under way, so a slow disk is waited for
    }
    expect(is()).toBe(true);
    await clock.settle();
  };
  const pod = async (): Promise<Stored<Pod>> => await client.get(PodKind, ref);
  const names = (): string[] => runner.started.map(({ program }) => program.file);
  const events = async (): Promise<string[]> =>
    (await client.list(EventKind)).items.map(({ type, reason, message }) => `${type} ${reason} ${message}`);
  return { clock, client, kubelet, runner, sidecars, told, dataDirectory, until, pod, names, events };
}

/** A pod whose serving container runs `serve`. */
function podWith(
  more: Partial<Pod["spec"]>,
  beside: readonly Container[] = [],
  of: Partial<Container> = {},
): Pod {
  const pod = podOf("one", { command: ["serve"], annotations: { [rouse.volumes]: "by-variable" } });
  const [serving, ...others] = pod.spec.containers;
  if (serving === undefined) throw new Error("no container");
  return {
    ...pod,
    spec: { ...pod.spec, ...more, containers: [{ ...serving, ...of }, ...beside, ...others] },
  };
}

const condition = (pod: Stored<Pod>, type: string) => findCondition(pod.status?.conditions, type)?.status;

describe("several containers", () => {
  const helper: Container = { name: "helper", command: ["help"] };

  test("each is a process of its own; the pod is ready when all are, and told once", async () => {
    const { client, clock, runner, sidecars, told, pod, names, until } = await setup();
    await client.create(PodKind, podWith({}, [helper]));
    await until(() => runner.started.length === 2);
    expect(names()).toEqual(["serve", "help"]);
    sidecars.latest.ready();
    await clock.settle();
    const now = await pod();
    expect(condition(now, "Ready")).toBe("True");
    expect(told).toEqual(["one ready"]);
    expect(now.status?.containerStatuses?.map(({ name, ready }) => [name, ready])).toEqual([
      ["user-container", true],
      ["helper", true],
      ["queue-proxy", true],
    ]);
  });

  test("one that ends is started again by itself, and makes the pod unready meanwhile", async () => {
    const { client, clock, runner, sidecars, told, pod, names, until } = await setup();
    await client.create(PodKind, podWith({}, [helper]));
    await until(() => runner.started.length === 2);
    sidecars.latest.ready();
    await clock.settle();
    runner.latest.exit({ exitCode: 3 });
    await clock.settle();
    expect(names()).toEqual(["serve", "help", "help"]); // at once, the first time
    runner.latest.exit({ exitCode: 3 });
    await clock.settle();
    const now = await pod();
    expect(condition(now, "Ready")).toBe("False");
    expect(now.status?.containerStatuses?.[1]).toMatchObject({
      restartCount: 1,
      state: { waiting: { reason: "CrashLoopBackOff" } },
    });
    await clock.advanceAsync(10_000);
    expect(condition(await pod(), "Ready")).toBe("True");
    expect(told).toEqual(["one ready", "one ready", "one ready"]);
    expect(runner.started[0]?.signals).toEqual([]); // the serving process never noticed
  });

  test("all of them end with the pod", async () => {
    const { client, clock, runner, sidecars, until } = await setup();
    await client.create(PodKind, podWith({}, [helper]));
    await until(() => runner.started.length === 2);
    sidecars.latest.ready();
    await clock.settle();
    await client.delete(PodKind, ref);
    await clock.settle();
    sidecars.latest.drained?.();
    await clock.settle();
    expect(runner.started.map(({ signals }) => signals)).toEqual([["SIGTERM"], ["SIGTERM"]]);
    // What they wrote is on the disk first, which knows no virtual time.
    const left = async (): Promise<readonly unknown[]> => {
      await clock.settle();
      return (await client.list(PodKind)).items;
    };
    await expect.poll(left).toEqual([]);
  });

  test("one that has no program is refused by name, with an event", async () => {
    const { client, clock, pod, events } = await setup();
    await client.create(PodKind, podWith({}, [{ name: "image-only", image: "x" }]));
    await clock.settle();
    expect((await pod()).status?.containerStatuses?.[1]?.state).toMatchObject({
      waiting: { reason: "CreateContainerError" },
    });
    expect(await events()).toContainEqual(expect.stringMatching(/^Warning Failed images are not run here/));
  });
});

describe("init containers", () => {
  const initContainers: readonly Container[] = [
    { name: "first", command: ["init-1"] },
    { name: "second", command: ["init-2"] },
  ];

  test("run in order, each to its end, before anything else of the pod", async () => {
    const { client, clock, runner, pod, names, until } = await setup();
    await client.create(PodKind, podWith({ initContainers }));
    await until(() => runner.started.length === 1);
    expect(condition(await pod(), "Initialized")).toBe("False");
    runner.latest.exit({ exitCode: 0 });
    await until(() => runner.started.length === 2);
    expect(names()).toEqual(["init-1", "init-2"]);
    expect((await pod()).status?.initContainerStatuses).toMatchObject([
      { name: "first", ready: true, state: { terminated: { exitCode: 0 } } },
      { name: "second", ready: false, state: { running: {} } },
    ]);
    runner.latest.exit({ exitCode: 0 });
    await until(() => runner.started.length === 3);
    expect(names()).toEqual(["init-1", "init-2", "serve"]);
    await clock.settle();
    expect(condition(await pod(), "Initialized")).toBe("True");
  });

  test("one that fails is tried again after a while, those done before it are not", async () => {
    const { client, clock, runner, pod, names, until } = await setup();
    await client.create(PodKind, podWith({ initContainers }));
    await until(() => runner.started.length === 1);
    runner.latest.exit({ exitCode: 0 });
    await until(() => runner.started.length === 2);
    runner.latest.write("no database\n");
    runner.latest.exit({ exitCode: 7 });
    await clock.settle();
    expect((await pod()).status?.containerStatuses?.[0]?.state).toEqual({
      waiting: {
        reason: "PodInitializing",
        message: "init container second ended with exit code 7: no database",
      },
    });
    await clock.advanceAsync(10_000);
    await until(() => runner.started.length === 3);
    expect(names()).toEqual(["init-1", "init-2", "init-2"]);
  });

  test("a pod deleted meanwhile runs nothing more", async () => {
    const { client, clock, runner, until } = await setup();
    await client.create(PodKind, podWith({ initContainers }));
    await until(() => runner.started.length === 1);
    await client.delete(PodKind, ref);
    await clock.advanceAsync(5_000);
    expect(runner.started).toHaveLength(1);
    expect(runner.latest.signals).toContain("SIGTERM");
  });
});

describe("what a pod refers to", () => {
  const env = [{ name: "COLOUR", valueFrom: { configMapKeyRef: { name: "settings", key: "colour" } } }];
  const settings = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "settings", namespace: NAMESPACE },
    data: { colour: "red" },
  };

  test("is read as it is when the process starts; volumes are directories, removed with the pod", async () => {
    const { client, clock, runner, sidecars, dataDirectory, until } = await setup();
    await client.create(ConfigMapKind, settings);
    await client.create(SecretKind, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "keys", namespace: NAMESPACE },
      data: { key: Buffer.from("k").toString("base64") },
    });
    const volumes = [{ name: "tls", secret: { secretName: "keys" } }];
    const volumeMounts = [{ name: "tls", mountPath: "/etc/tls" }];
    await client.create(PodKind, podWith({ volumes }, [], { env, volumeMounts }));
    await until(() => runner.started.length === 1);
    const { environment } = runner.latest.program;
    const path = environment.ROUSE_VOLUME_TLS ?? "";
    expect([environment.COLOUR, readFileSync(join(path, "key"), "utf8")]).toEqual(["red", "k"]);
    expect(path.startsWith(dataDirectory)).toBe(true);
    sidecars.latest.ready();
    await clock.settle();
    await client.delete(PodKind, ref, { gracePeriodSeconds: 1 });
    await clock.settle();
    sidecars.latest.drained?.();
    await until(() => !existsSync(path));
  });

  test("that is missing is waited for, and said", async () => {
    const { client, clock, runner, pod, until, events } = await setup();
    await client.create(PodKind, podWith({}, [], { env }));
    await clock.settle();
    expect((await pod()).status?.containerStatuses?.[0]?.state).toEqual({
      waiting: {
        reason: "CreateContainerConfigError",
        message: 'variable COLOUR: configmap "settings" not found',
      },
    });
    expect(await events()).toContain('Warning Failed variable COLOUR: configmap "settings" not found');
    await client.create(ConfigMapKind, settings);
    await clock.advanceAsync(10_000);
    await until(() => runner.started.length === 1);
    expect(runner.latest.program.environment.COLOUR).toBe("red");
  });
});

describe("probes that are commands", () => {
  test("a readiness probe is run once the port is open, and the pod waits for it", async () => {
    const { client, clock, runner, sidecars, pod, names } = await setup();
    const readinessProbe = { exec: { command: ["check", "me"] }, periodSeconds: 5, failureThreshold: 1 };
    await client.create(PodKind, podWith({}, [], { readinessProbe }));
    await clock.settle();
    sidecars.latest.ready();
    await clock.settle();
    expect(names()).toEqual(["serve", "check"]);
    expect(runner.latest.program).toMatchObject({ args: ["me"], environment: { K_SERVICE: "echo" } });
    runner.latest.exit({ exitCode: 1 });
    await clock.settle();
    expect(condition(await pod(), "Ready")).toBe("False");
    await clock.advanceAsync(250);
    runner.latest.exit({ exitCode: 0 });
    await clock.settle();
    expect(condition(await pod(), "Ready")).toBe("True");
  });

  test("a liveness probe that fails or hangs has the process started again", async () => {
    const { client, clock, runner, sidecars, pod, names, events } = await setup();
    const livenessProbe = { exec: { command: ["alive"] }, periodSeconds: 10, failureThreshold: 2 };
    await client.create(PodKind, podWith({}, [], { livenessProbe }));
    await clock.settle();
    sidecars.latest.ready();
    await clock.advanceAsync(1);
    runner.latest.write("bad\n");
    runner.latest.exit({ exitCode: 9 });
    await clock.advanceAsync(10_000); // the second is started, and says nothing for its whole second
    await clock.advanceAsync(1_000);
    expect(names().slice(0, 4)).toEqual(["serve", "alive", "alive", "serve"]);
    expect(runner.started[2]?.signals).toEqual(["SIGKILL"]);
    expect(await events()).toContain("Warning Unhealthy liveness probe failed: alive took longer than 1 s");
    expect((await pod()).status?.containerStatuses?.[0]?.lastState).toMatchObject({
      terminated: { message: expect.stringContaining("liveness probe failed") },
    });
  });
});

test("C-167: an image without a program is said in the pod, and in an event", async () => {
  const { client, clock, pod, events } = await setup();
  await client.create(PodKind, podOf("one", {}));
  await clock.settle();
  expect((await pod()).status?.containerStatuses?.[0]?.state).toMatchObject({
    waiting: { reason: "CreateContainerError", message: expect.stringContaining("images are not run here") },
  });
  expect(await events()).toEqual([expect.stringMatching(/^Warning Failed images are not run here/)]);
});

test("a start is an event, and output is kept by container and in files", async () => {
  const { client, clock, runner, kubelet, dataDirectory, events, until } = await setup();
  await client.create(PodKind, podWith({}, [{ name: "helper", command: ["help"] }]));
  await until(() => runner.started.length === 2);
  runner.started[0]?.write("from the first\n");
  runner.started[1]?.write("from the second\n");
  const one = objectKey(ref);
  expect(kubelet.logs(one)?.map(({ text }) => text)).toEqual(["from the first"]);
  expect(kubelet.logs(one, "helper")?.map(({ text }) => text)).toEqual(["from the second"]);
  expect(kubelet.logs(one, "none")).toBeUndefined();
  expect(await events()).toContain("Normal Started Started a process for container user-container");
  const { uid } = (await client.get(PodKind, ref)).metadata;
  const file = join(dataDirectory, "logs", `${NAMESPACE}_one_${uid}`, "helper.log");
  await clock.advanceAsync(100);
  await until(() => existsSync(file) && readFileSync(file, "utf8").endsWith("stdout F from the second\n"));
});

test("a script pod still starts in the turn in which it is seen", async () => {
  const { client, clock, runner } = await setup();
  await client.create(PodKind, scriptPod("one", ""));
  clock.advance(0);
  expect(runner.started).toHaveLength(1);
});

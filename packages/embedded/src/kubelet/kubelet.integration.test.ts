import { once } from "node:events";
import { stat } from "node:fs/promises";
import { connect } from "node:net";
import {
  type ContainerStatus,
  DeploymentKind,
  EndpointsKind,
  findCondition,
  type MonoMs,
  type ObjectKey,
  objectKey,
  type Pod,
  PodKind,
  rouse,
  ServiceKind,
  type Stored,
} from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { readProcess } from "./process-table.ts";
import {
  ask,
  deploymentOf,
  ECHO,
  Home,
  isReady,
  NAMESPACE,
  podOf,
  privateService,
  scriptPod,
} from "./testing/home.ts";

const one = objectKey({ namespace: NAMESPACE, name: "one" });
const oneRef = { namespace: NAMESPACE, name: "one" };
const user = (pod: Stored<Pod>): ContainerStatus | undefined =>
  pod.status?.containerStatuses?.find(({ name }) => name === "user-container");
const waiting = (pod: Stored<Pod>): { reason: string; message?: string } | undefined => {
  const state = user(pod)?.state;
  return state !== undefined && "waiting" in state ? state.waiting : undefined;
};
const address = (pod: Stored<Pod>) => ({ ip: pod.status?.podIP ?? "", port: 8012 });
const isGone = (pid: number): boolean => readProcess(pid)?.isZombie ?? true;

describe("a pod's life", () => {
  test("a pod becomes a process that serves on the pod's own address, and goes without a trace", async () => {
    const told: string[] = [];
    await using home = await Home.start({
      hooks: { onReady: (pod, { ip, port }) => told.push(`${pod.metadata.name} ${ip}:${port}`) },
    });
    await home.client.create(PodKind, scriptPod("one", ECHO));
    const pod = await home.seen(PodKind, isReady);
    expect(pod.status?.podIP).toMatch(/^127\.\d+\.\d+\.\d+$/);
    expect(told).toEqual([`one ${pod.status?.podIP}:8012`]);
    const [pid, text] = (await ask(address(pod))).split(" ");
    expect(text).toBe("hello");
    expect(readProcess(Number(pid))?.group).toBe(Number(pid));
    expect(pod.status?.phase).toBe("Running");
    expect(pod.status?.containerStatuses?.map(({ name, ready }) => [name, ready])).toEqual([
      ["user-container", true],
      ["queue-proxy", true],
    ]);
    await home.client.delete(PodKind, oneRef);
    await home.removed(pod);
    expect(isGone(Number(pid))).toBe(true);
    expect(home.kubelet.size).toBe(0);
  });

  test("the phases of its start are stamped in their order", async () => {
    await using home = await Home.start();
    home.kubelet.podCreated(one, 1 as MonoMs);
    await home.client.create(PodKind, scriptPod("one", ECHO));
    await home.seen(PodKind, isReady);
    const { created = 0, seen = 0, spawned = 0, portOpen = 0, ready = 0 } = home.kubelet.timeline(one) ?? {};
    const stamps = [created, seen, spawned, portOpen, ready];
    expect(stamps).toEqual([...stamps].sort((a, b) => a - b));
    expect([created, seen > 1]).toEqual([1, true]);
  });

  test("a request in flight ends well when its pod is deleted, and so does one that comes right after", async () => {
    const SLOW = `
      require("node:net").createServer((socket) => {
        socket.on("data", (data) => {
          console.log("got " + data);
          process.once("SIGTERM", () => console.log("TERM before the answer"));
          setTimeout(() => socket.end("late " + data), 150);
        });
      }).listen(Number(process.env.PORT), "127.0.0.1");
      process.on("SIGTERM", () => process.exit(0));
    `;
    await using home = await Home.start({ quietMs: 50 });
    await home.client.create(PodKind, scriptPod("one", SLOW));
    const pod = await home.seen(PodKind, isReady);
    const before = ask(address(pod), "before");
    await linesInclude(home, one, "got before");
    await home.client.delete(PodKind, oneRef);
    const after = ask(address(pod), "after");
    expect(await Promise.all([before, after])).toEqual(["late before", "late after"]);
    await home.removed(pod);
    expect(home.lines.filter((line) => line.includes("TERM"))).toEqual([]);
  });

  test("what a process has started ends with it, however deaf", async () => {
    const PARENT = `
      const child = require("node:child_process").spawn(process.execPath,
        ["-e", "process.on('SIGTERM', () => {}); console.log('grandchild up'); setInterval(() => {}, 1000)"],
        { stdio: "inherit" });
      console.log("pids " + process.pid + " " + child.pid);
      ${ECHO}
    `;
    await using home = await Home.start();
    await home.client.create(PodKind, scriptPod("one", PARENT));
    const pod = await home.seen(PodKind, isReady);
    await linesInclude(home, one, "grandchild up");
    const pids =
      home.lines
        .find((line) => line.includes("pids"))
        ?.split(" ")
        .slice(-2)
        .map(Number) ?? [];
    expect(pids.map(isGone)).toEqual([false, false]);
    await home.client.delete(PodKind, oneRef);
    await home.removed(pod);
    while (!pids.every(isGone)) await turn(); // killed; the kernel takes a moment
  });

  test("a pod removed by force leaves no process", async () => {
    await using home = await Home.start();
    await home.client.create(PodKind, scriptPod("one", ECHO));
    const pod = await home.seen(PodKind, isReady);
    const [pid] = (await ask(address(pod))).split(" ");
    await home.client.delete(PodKind, oneRef, { gracePeriodSeconds: 0 });
    // A pod of the same name has its turn when the first one's process has ended.
    await home.client.create(PodKind, scriptPod("one", ECHO));
    const next = await home.seen(
      PodKind,
      (other) => isReady(other) && other.metadata.uid !== pod.metadata.uid,
    );
    expect(isGone(Number(pid))).toBe(true);
    expect((await ask(address(next))).endsWith(" hello")).toBe(true);
  });

  test("closing ends every process, the deaf ones by force, and touches no pod", async () => {
    const DEAF = `process.on("SIGTERM", () => {}); ${ECHO}`;
    await using home = await Home.start();
    await home.client.create(PodKind, scriptPod("one", ECHO));
    await home.client.create(PodKind, scriptPod("two", DEAF));
    const pods = [
      await home.seen(PodKind, (pod) => isReady(pod) && pod.metadata.name === "one"),
      await home.seen(PodKind, (pod) => isReady(pod) && pod.metadata.name === "two"),
    ];
    const answers = await Promise.all(pods.map((pod) => ask(address(pod))));
    const pids = answers.map((answer) => Number(answer.split(" ")[0]));
    await home.kubelet.close(100);
    expect(pids.map(isGone)).toEqual([true, true]);
    expect((await home.client.list(PodKind)).items.map(({ metadata }) => metadata.name)).toEqual([
      "one",
      "two",
    ]);
  });
});

describe("which program runs (design §9)", () => {
  test("its environment is its own, the contract's and little of the platform's", async () => {
    const PRINT = `for (const name of Object.keys(process.env)) console.log("env " + name); ${ECHO}
      console.log("values " + [process.env.PORT > 0, process.env.K_SERVICE, process.env.K_REVISION,
        process.env.K_CONFIGURATION, process.env.GREETING, process.env.ROUSE_POD].join());`;
    await using home = await Home.start();
    const env = [
      { name: "WHO", value: "you" },
      { name: "GREETING", value: "hi $(WHO)" },
    ];
    await home.client.create(PodKind, scriptPod("one", PRINT, { env }));
    await home.seen(PodKind, isReady);
    await linesInclude(home, one, "values true,echo,echo-00001,echo,hi you,default/one");
    const inherited = "PATH HOME USER LOGNAME SHELL LANG LC_ALL LC_CTYPE TZ TMPDIR".split(" ");
    const given = "PORT WHO GREETING K_SERVICE K_REVISION K_CONFIGURATION ROUSE_INSTANCE ROUSE_POD".split(
      " ",
    );
    const names = home.lines.flatMap((line) => / env (\w+)$/.exec(line)?.[1] ?? []);
    expect(names.filter((name) => !inherited.includes(name)).sort()).toEqual(given.sort());
  });

  test("a shell line of the template runs in the manifest's directory", async () => {
    await using home = await Home.start();
    const annotations = {
      [rouse.command]: `echo "in $PWD" && exec '${process.execPath}' -e '${ECHO.replaceAll("'", '"')}'`,
      [rouse.directory]: "/usr",
    };
    await home.client.create(PodKind, podOf("one", { annotations }));
    await home.seen(PodKind, isReady);
    await linesInclude(home, one, " stdout in /usr");
  });

  test.each([
    {
      what: "no command",
      choices: {},
      reason: "CreateContainerError",
      text: /images are not run.*rouse.dev\/command/,
    },
    {
      what: "a command that is not there",
      choices: { command: ["no-such-program"] },
      reason: "RunContainerError",
      text: /^command not found: no-such-program$/,
    },
    {
      what: "a file that is no program",
      choices: { command: ["/etc/passwd"] },
      reason: "RunContainerError",
      text: /^command may not be executed: \/etc\/passwd$/,
    },
    {
      what: "a directory that is not there",
      choices: { command: ["true"], workingDir: "/no/such" },
      reason: "CreateContainerError",
      text: /^cannot run true: its directory \/no\/such does not exist$/,
    },
    {
      what: "an argument no program can be given",
      choices: { command: ["true", "a\0b"] },
      reason: "CreateContainerError",
      text: /^cannot run true: /,
    },
  ])(
    "$what: the container waits with $reason, and the pod can be deleted",
    async ({ choices, reason, text }) => {
      await using home = await Home.start();
      await home.client.create(PodKind, podOf("one", choices));
      const pod = await home.seen(PodKind, (seen) => waiting(seen)?.reason === reason);
      expect(waiting(pod)?.message).toMatch(text);
      expect(isReady(pod)).toBe(false);
      await home.client.delete(PodKind, oneRef);
      await home.removed(pod);
    },
  );

  test("a process that ends at once is started again, then backed off, with its last words told (C-167)", async () => {
    await using home = await Home.start();
    const CRASH = `console.error("cannot find the database"); process.exit(3)`;
    await home.client.create(PodKind, scriptPod("one", CRASH));
    const pod = await home.seen(PodKind, (seen) => waiting(seen)?.reason === "CrashLoopBackOff");
    expect(user(pod)).toMatchObject({
      restartCount: 1,
      ready: false,
      lastState: { terminated: { exitCode: 3, reason: "Error", message: "cannot find the database" } },
    });
    expect(waiting(pod)?.message).toBe("restart in 10 s: cannot find the database");
  });

  test("a process whose liveness probe fails is started again, and the reason is told", async () => {
    await using home = await Home.start();
    const { spec, ...rest } = scriptPod("one", `setInterval(() => {}, 1000)`); // never listens
    const probe = { tcpSocket: { port: 8_080 }, periodSeconds: 1, failureThreshold: 1 };
    const containers = spec.containers.map((container) =>
      container.name === "user-container" ? { ...container, livenessProbe: probe } : container,
    );
    await home.client.create(PodKind, { ...rest, spec: { ...spec, containers } });
    const pod = await home.seen(PodKind, (seen) => user(seen)?.lastState !== undefined);
    const { lastState } = user(pod) ?? {};
    expect(lastState).toMatchObject({
      terminated: { exitCode: 143, signal: 15, message: expect.stringMatching(/^liveness probe failed: /) },
    });
  });

  test("a process ended by a signal counts as 128 and the signal", async () => {
    await using home = await Home.start();
    await home.client.create(PodKind, scriptPod("one", `process.kill(process.pid, "SIGKILL")`));
    const pod = await home.seen(PodKind, (seen) => user(seen)?.lastState !== undefined);
    expect(user(pod)?.lastState).toMatchObject({ terminated: { exitCode: 137, signal: 9 } });
  });
});

describe("Deployments and endpoints", () => {
  test("from zero to three and back: Endpoints follow, the status follows, no process stays (K-24)", async () => {
    await using home = await Home.start();
    await home.client.create(ServiceKind, privateService());
    const deployment = await home.client.create(DeploymentKind, deploymentOf(0, ECHO));
    await scale(home, 3);
    const full = await home.seen(EndpointsKind, ({ subsets }) => subsets?.[0]?.addresses?.length === 3);
    expect(full.metadata.labels).toEqual({ kept: "yes" });
    expect(full.subsets).toHaveLength(1);
    expect(full.subsets?.[0]?.ports).toEqual([{ name: "http", port: 8012, protocol: "TCP" }]);
    const ips = full.subsets?.[0]?.addresses?.map(({ ip }) => ip) ?? [];
    expect(new Set(ips).size).toBe(3);
    const answers = await Promise.all(ips.map((ip) => ask({ ip, port: 8012 })));
    const done = await home.seen(DeploymentKind, ({ status }) => status?.availableReplicas === 3);
    expect(done.status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      updatedReplicas: 3,
      unavailableReplicas: 0,
    });
    expect(findCondition(done.status?.conditions, "Available")?.status).toBe("True");
    expect(findCondition(done.status?.conditions, "Progressing")?.reason).toBe("NewReplicaSetAvailable");
    await scale(home, 0);
    await home.seen(DeploymentKind, ({ status }) => status?.replicas === 0);
    await home.seen(EndpointsKind, ({ subsets }) => subsets?.length === 0);
    for (const pod of (await home.client.list(PodKind)).items) await home.removed(pod);
    expect(answers.map((answer) => isGone(Number(answer.split(" ")[0])))).toEqual([true, true, true]);
    expect(deployment.metadata.uid).toBe(done.metadata.uid);
  });

  test("where pods share an address each has a subset with its own port", async () => {
    await using home = await Home.start({ hasPodAddresses: false });
    await home.client.create(ServiceKind, privateService());
    await home.client.create(DeploymentKind, deploymentOf(2, ECHO));
    const endpoints = await home.seen(
      EndpointsKind,
      ({ subsets = [] }) => subsets.filter(({ addresses = [] }) => addresses.length === 1).length === 2,
    );
    expect(endpoints.metadata.annotations?.[rouse.queuePort]).toBe("per-pod");
    const places = (endpoints.subsets ?? []).map(({ addresses, ports }) => ({
      ip: addresses?.[0]?.ip ?? "",
      port: ports?.[0]?.port ?? 0,
    }));
    expect(places.map(({ ip }) => ip)).toEqual(["127.0.0.1", "127.0.0.1"]);
    expect(new Set(places.map(({ port }) => port)).size).toBe(2);
    const answers = await Promise.all(places.map((place) => ask(place)));
    expect(new Set(answers).size).toBe(2);
  });

  test("scaling down spares the pod that has a request", async () => {
    await using home = await Home.start();
    await home.client.create(DeploymentKind, deploymentOf(3, ECHO));
    await home.seen(DeploymentKind, ({ status }) => status?.availableReplicas === 3);
    const pods = (await home.client.list(PodKind)).items;
    const [busy] = pods;
    const { ip, port } = address(busy ?? expect.fail("no pod"));
    const socket = connect(port, ip); // connected and silent: in flight
    await once(socket, "connect");
    await inFlight(home, objectKey(busy?.metadata ?? { name: "" }));
    await scale(home, 1);
    await home.seen(DeploymentKind, ({ status }) => status?.replicas === 1);
    const left = (await home.client.list(PodKind)).items.filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    );
    expect(left.map(({ metadata }) => metadata.name)).toEqual([busy?.metadata.name]);
    socket.destroy();
  });

  test("a full home says so, and starts the pod when there is room", async () => {
    await using home = await Home.start({ podsMax: 1 });
    await home.client.create(PodKind, scriptPod("one", ECHO));
    await home.client.create(PodKind, scriptPod("two", ECHO));
    const pod = await home.seen(PodKind, ({ status }) => status?.reason === "OutOfPods");
    expect(pod.metadata.name).toBe("two");
    expect(findCondition(pod.status?.conditions, "PodScheduled")).toMatchObject({
      status: "False",
      reason: "Unschedulable",
      message: "this home runs at most 1 pods at one time",
    });
    await home.client.delete(PodKind, oneRef);
    await home.seen(PodKind, (other) => isReady(other) && other.metadata.name === "two");
  });
});

async function scale(home: Home, replicas: number): Promise<void> {
  const ref = { namespace: NAMESPACE, name: "echo-00001-deployment" };
  await home.client.patch(DeploymentKind, ref, { kind: "merge", body: { spec: { replicas } } });
}

/** Waits for a line of the pod's output. Output has no event a test could await, so it looks once per turn. */
async function linesInclude(home: Home, pod: ObjectKey, text: string): Promise<void> {
  while (!home.lines.some((line) => line.startsWith(pod) && line.endsWith(text))) await turn();
}

async function inFlight(home: Home, pod: ObjectKey): Promise<void> {
  while (home.kubelet.inFlight(pod) === 0) await turn();
}

/** One round of the event loop that lets input and output happen, by asking the kernel something. */
async function turn(): Promise<void> {
  await stat("/");
}

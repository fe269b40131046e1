import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Deployment,
  DeploymentKind,
  type Endpoints,
  EndpointsKind,
  findCondition,
  InProcessKubeClient,
  type Kind,
  type KubeObject,
  labels,
  ObjectStore,
  type Pod,
  PodKind,
  RealClock,
  SeededRandom,
  ServiceKind,
  type Stored,
  silentLogger,
} from "@rouse/shared";
import { afterEach, describe, expect, test } from "vitest";
import { Workloads } from "../workloads/workloads.ts";
import { Kubelet, type KubeletOptions } from "./kubelet.ts";
import { isAlive, readProcess } from "./process-table.ts";
import type { KubeletHooks } from "./sidecar.ts";
import { TcpSidecars } from "./tcp-sidecar.testing.ts";

const NAMESPACE = "default";
const node = process.execPath;
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Answers "<pid> <PORT>" to whoever connects, at once or after what comes in. */
const ECHO = `
  const server = require("node:net").createServer((socket) => {
    socket.on("data", (data) => socket.end(process.pid + " " + data));
  });
  server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening"));
`;

async function setup(options: Partial<KubeletOptions> & { hooks?: KubeletHooks } = {}) {
  const clock = new RealClock();
  const random = new SeededRandom(process.pid);
  const store = new ObjectStore({ wall: () => clock.wall(), random }, { namespaces: [NAMESPACE] });
  const client = new InProcessKubeClient({ store, clock });
  const dataDirectory = mkdtempSync(join(tmpdir(), "rouse-kubelet-"));
  const sidecars = new TcpSidecars(clock);
  const lines: string[] = [];
  const hooks: KubeletHooks = {
    onOutput: (pod, stream, line) => lines.push(`${pod} ${stream} ${line}`),
    ...options.hooks,
  };
  const deps = { client, clock, random, log: silentLogger };
  const kubelet = await Kubelet.start(
    { ...deps, sidecars, hooks },
    { dataDirectory, quietMs: 20, ...options },
  );
  const workloads = await Workloads.start({
    ...deps,
    inFlight: (pod) => kubelet.inFlight(pod),
    podCreated: (pod, at) => kubelet.podCreated(pod, at),
  });
  cleanups.push(
    () => rmSync(dataDirectory, { recursive: true, force: true }),
    () => kubelet.close(500),
    () => workloads.close(),
  );
  return { clock, client, kubelet, sidecars, lines, dataDirectory };
}

type Setup = Awaited<ReturnType<typeof setup>>;

/** Resolves with the first version of any object of the kind that satisfies `is`. */
async function seen<T extends KubeObject>(
  { client }: Pick<Setup, "client">,
  kind: Kind<T>,
  is: (object: Stored<T>) => boolean,
): Promise<Stored<T>> {
  const { items, resourceVersion } = await client.list(kind);
  const already = items.find(is);
  if (already !== undefined) return already;
  return new Promise((resolve) => {
    const watch = client.watch(
      kind,
      { resourceVersion },
      {
        event: (event) => {
          if (event.type === "BOOKMARK" || event.type === "DELETED" || !is(event.object)) return;
          watch[Symbol.dispose]();
          resolve(event.object);
        },
        closed: () => {},
      },
    );
  });
}

async function removed({ client }: Pick<Setup, "client">, pod: Stored<Pod>): Promise<void> {
  const { items, resourceVersion } = await client.list(PodKind);
  if (!items.some((item) => item.metadata.uid === pod.metadata.uid)) return;
  await new Promise<void>((resolve) => {
    const watch = client.watch(
      PodKind,
      { resourceVersion },
      {
        event: (event) => {
          if (event.type !== "DELETED" || event.object.metadata.uid !== pod.metadata.uid) return;
          watch[Symbol.dispose]();
          resolve();
        },
        closed: () => {},
      },
    );
  });
}

const isReady = (pod: Stored<Pod>): boolean =>
  findCondition(pod.status?.conditions, "Ready")?.status === "True";

function podOf(
  name: string,
  script: string,
  more: { annotations?: Record<string, string>; grace?: number } = {},
): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: NAMESPACE,
      labels: { app: "echo", [labels.revision]: "echo-00001", [labels.service]: "echo" },
      ...(more.annotations === undefined ? {} : { annotations: more.annotations }),
    },
    spec: {
      containers: [
        {
          name: "user-container",
          image: "none",
          command: [node, "-e", script],
          ports: [{ containerPort: 8080 }],
        },
        { name: "queue-proxy", ports: [{ name: "queue-port", containerPort: 8012 }] },
      ],
      terminationGracePeriodSeconds: more.grace ?? 5,
    },
  };
}

function deploymentOf(replicas: number, script: string): Deployment {
  const { metadata, spec } = podOf("template", script);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "echo-00001-deployment", namespace: NAMESPACE },
    spec: {
      replicas,
      selector: { matchLabels: { app: "echo" } },
      template: { metadata: { labels: metadata.labels ?? {} }, spec },
      strategy: { rollingUpdate: { maxUnavailable: 0 } },
    },
  };
}

async function ask(address: { ip: string; port: number }, text = "hello"): Promise<string> {
  const socket = connect(address.port, address.ip);
  socket.setEncoding("utf8");
  await once(socket, "connect");
  socket.write(text);
  let answer = "";
  for await (const part of socket) answer += part;
  return answer;
}

describe("a pod's life", () => {
  test("a pod becomes a process that serves on the pod's own address, and goes without a trace", async () => {
    const ready: string[] = [];
    const home = await setup({
      hooks: { onReady: (pod, { ip, port }) => ready.push(`${pod.metadata.name} ${ip}:${port}`) },
    });
    await home.client.create(PodKind, podOf("one", ECHO));
    const pod = await seen(home, PodKind, isReady);
    const ip = pod.status?.podIP ?? "";
    expect(ready).toEqual([`one ${ip}:8012`]);
    expect(ip).toMatch(/^127\.\d+\.\d+\.\d+$/);
    const [pid, text] = (await ask({ ip, port: 8012 })).split(" ");
    expect(text).toBe("hello");
    expect(readProcess(Number(pid))?.group).toBe(Number(pid));
    expect(pod.status?.phase).toBe("Running");
    expect(pod.status?.containerStatuses?.map(({ name, ready: isUp }) => [name, isUp])).toEqual([
      ["user-container", true],
      ["queue-proxy", true],
    ]);
    const {
      seen: seenAt = 0,
      spawned = 0,
      portOpen = 0,
      ready: readyAt = 0,
    } = home.kubelet.timeline("default/one" as never) ?? {};
    expect([seenAt <= spawned, spawned <= portOpen, portOpen <= readyAt]).toEqual([true, true, true]);
    expect(home.lines).toContain("default/one stdout listening");

    await home.client.delete(PodKind, { namespace: NAMESPACE, name: "one" });
    await removed(home, pod);
    expect(readProcess(Number(pid))).toBeUndefined();
    expect(home.kubelet.size).toBe(0);
  });
});
void [DeploymentKind, EndpointsKind, ServiceKind, isAlive, createServer, deploymentOf];
export type Unused = Endpoints;

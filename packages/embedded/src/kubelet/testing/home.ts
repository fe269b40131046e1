import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Deployment,
  findCondition,
  GarbageCollector,
  InProcessKubeClient,
  type Kind,
  type KubeClient,
  type KubeObject,
  labels,
  ObjectStore,
  type Pod,
  PodKind,
  RealClock,
  SeededRandom,
  type Service,
  type Stored,
  silentLogger,
} from "@rouse/shared";
import { Workloads } from "../../workloads/workloads.ts";
import { Kubelet, type KubeletOptions } from "../kubelet.ts";
import type { KubeletHooks } from "../sidecar.ts";
import { TcpSidecars } from "./tcp-sidecars.ts";

export const NAMESPACE = "default";

/** Answers every connection with "<pid> <what came in>". */
export const ECHO = `
  const server = require("node:net").createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => socket.end(process.pid + " " + data));
  });
  server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening"));
`;

export interface HomeOptions extends Partial<KubeletOptions> {
  readonly hooks?: KubeletHooks;
}

/** A store, a kubelet with real processes and the workload controllers; everything a test of them needs. */
export class Home implements AsyncDisposable {
  readonly client: KubeClient;
  readonly kubelet: Kubelet;
  readonly sidecars: TcpSidecars;
  /** "<pod> <stream> <line>" as they came. */
  readonly lines: string[];
  readonly dataDirectory: string;
  readonly #release: () => Promise<void>;

  private constructor(parts: {
    client: KubeClient;
    kubelet: Kubelet;
    sidecars: TcpSidecars;
    lines: string[];
    dataDirectory: string;
    release: () => Promise<void>;
  }) {
    this.client = parts.client;
    this.kubelet = parts.kubelet;
    this.sidecars = parts.sidecars;
    this.lines = parts.lines;
    this.dataDirectory = parts.dataDirectory;
    this.#release = parts.release;
  }

  static async start(options: HomeOptions = {}): Promise<Home> {
    const clock = new RealClock();
    const random = new SeededRandom(process.pid + Math.floor(clock.now()));
    const store = new ObjectStore({ wall: () => clock.wall(), random }, { namespaces: [NAMESPACE] });
    const collector = new GarbageCollector({ store, clock });
    const client = new InProcessKubeClient({ store, clock });
    const dataDirectory = options.dataDirectory ?? mkdtempSync(join(tmpdir(), "rouse-kubelet-"));
    const sidecars = new TcpSidecars(clock);
    const lines: string[] = [];
    const hooks: KubeletHooks = {
      onOutput: (pod, stream, line) => lines.push(`${pod} ${stream} ${line}`),
      ...options.hooks,
    };
    const deps = { client, clock, random, log: silentLogger };
    const kubelet = await Kubelet.start(
      { ...deps, sidecars, hooks },
      { quietMs: 20, ...options, dataDirectory },
    );
    const workloads = await Workloads.start({
      ...deps,
      inFlight: (pod) => kubelet.inFlight(pod),
      podCreated: (pod, at) => kubelet.podCreated(pod, at),
    });
    const release = async (): Promise<void> => {
      await workloads.close();
      await kubelet.close(500);
      collector[Symbol.dispose]();
      if (options.dataDirectory === undefined) rmSync(dataDirectory, { recursive: true, force: true });
    };
    return new Home({ client, kubelet, sidecars, lines, dataDirectory, release });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#release();
  }

  /** The first version of any object of the kind for which `is` holds. */
  async seen<T extends KubeObject>(kind: Kind<T>, is: (object: Stored<T>) => boolean): Promise<Stored<T>> {
    const { items, resourceVersion } = await this.client.list(kind);
    const already = items.find(is);
    if (already !== undefined) return already;
    return new Promise((resolve) => {
      const watch = this.client.watch(
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

  async removed(pod: Stored<Pod>): Promise<void> {
    const { items, resourceVersion } = await this.client.list(PodKind);
    if (!items.some((item) => item.metadata.uid === pod.metadata.uid)) return;
    await new Promise<void>((resolve) => {
      const watch = this.client.watch(
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
}

export function isReady(pod: Stored<Pod>): boolean {
  return findCondition(pod.status?.conditions, "Ready")?.status === "True";
}

export interface PodChoices {
  /** Absent: no command at all. */
  readonly command?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly workingDir?: string;
  readonly graceSeconds?: number;
}

/** A revision's pod, as the controller's template makes it. */
export function podOf(name: string, choices: PodChoices): Pod {
  const { annotations, command, env, workingDir, graceSeconds } = choices;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: NAMESPACE,
      labels: {
        app: "echo",
        [labels.revision]: "echo-00001",
        [labels.revisionUid]: "uid-1",
        [labels.configuration]: "echo",
        [labels.service]: "echo",
      },
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      containers: [
        {
          name: "user-container",
          image: "none",
          ...(command === undefined ? {} : { command }),
          ...(env === undefined ? {} : { env }),
          ...(workingDir === undefined ? {} : { workingDir }),
          ports: [{ name: "user-port", containerPort: 8080 }],
        },
        { name: "queue-proxy", ports: [{ name: "queue-port", containerPort: 8012 }] },
      ],
      nodeName: "rouse",
      terminationGracePeriodSeconds: graceSeconds ?? 5,
    },
  };
}

export function scriptPod(name: string, script: string, choices: Omit<PodChoices, "command"> = {}): Pod {
  return podOf(name, { ...choices, command: [process.execPath, "-e", script] });
}

export function deploymentOf(replicas: number, script: string): Deployment {
  const { metadata, spec } = scriptPod("template", script);
  const { nodeName: _, ...template } = spec;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "echo-00001-deployment", namespace: NAMESPACE },
    spec: {
      replicas,
      selector: { matchLabels: { [labels.revisionUid]: "uid-1" } },
      template: { metadata: { labels: metadata.labels ?? {} }, spec: template },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0 } },
    },
  };
}

export function privateService(): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "echo-00001-private", namespace: NAMESPACE, labels: { kept: "yes" } },
    spec: {
      selector: { [labels.revisionUid]: "uid-1" },
      ports: [{ name: "http", port: 80, targetPort: 8012 }],
    },
  };
}

/** Sends `text`, returns all that comes back. Rejects when the connection breaks. */
export async function ask(
  address: { readonly ip: string; readonly port: number },
  text = "hello",
): Promise<string> {
  const socket = connect(address.port, address.ip);
  socket.setEncoding("utf8");
  await once(socket, "connect");
  socket.write(text);
  let answer = "";
  for await (const part of socket) answer += part;
  return answer;
}

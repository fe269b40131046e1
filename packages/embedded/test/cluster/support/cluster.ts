import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  ACTIVATOR_SERVICE,
  type Clock,
  type Endpoints,
  EndpointsKind,
  findServer,
  HttpKubeClient,
  Informer,
  isKubeError,
  type KubeClient,
  LeaseKind,
  objectKey,
  type PodAutoscaler,
  PodAutoscalerKind,
  parseIdentity,
  type Random,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import { Load } from "./load.ts";
import { Member, type MemberPlan } from "./member.ts";
import { createClusterObjects } from "./objects.ts";
import { ServiceProxy } from "./service-proxy.ts";

const ROOT = resolve(import.meta.dirname, "../../../../..");
const REPLICAS = ["a", "b"] as const;
/** How often the kubelet of a cluster would look whether an activator is ready. */
const PROBE_MS = 200;
const HTTP_PORT = 8012;
const H2C_PORT = 8013;
const ADMIN_PORT = 9090;
const STAT_PORT = 8080;
const WEBHOOK_PORT = 8443;

type Desired = Set<(name: string, pods: number) => void>;

export interface ClusterOptions {
  /** Where the bundles are; the repository's own unless told. */
  readonly root?: string;
  /** How long an activator serves on after it was told to go. */
  readonly leaving?: string;
  /** Pods and activators are read from slices, which a dual-stack cluster would have. */
  readonly hasSlices?: boolean;
}

/**
 * A cluster as it is without Knative, every part of it a process: the API server, its controllers and a node, and of
 * ours a pair each of controllers, autoscalers and activators, run from their bundles. Pods are pairs of processes.
 * All of it on loopback addresses that are drawn anew each time.
 */
export class Cluster implements AsyncDisposable {
  readonly directory: string;
  readonly api: Member;
  readonly members: ReadonlyMap<string, Member>;
  readonly client: KubeClient;
  readonly #deps: { readonly clock: Clock; readonly random: Random };
  readonly #owned: AsyncDisposableStack;
  readonly #endpoints: Informer<Endpoints>;
  readonly #autoscalers: Informer<PodAutoscaler>;
  readonly #leaving = new Set<string>();
  readonly #desired: Desired;
  #listed = "";

  private constructor(
    deps: { readonly clock: Clock; readonly random: Random },
    parts: {
      readonly directory: string;
      readonly api: Member;
      readonly members: ReadonlyMap<string, Member>;
      readonly client: KubeClient;
      readonly endpoints: Informer<Endpoints>;
      readonly autoscalers: Informer<PodAutoscaler>;
      readonly desired: Desired;
      readonly owned: AsyncDisposableStack;
    },
  ) {
    this.#deps = deps;
    this.directory = parts.directory;
    this.api = parts.api;
    this.members = parts.members;
    this.client = parts.client;
    this.#endpoints = parts.endpoints;
    this.#autoscalers = parts.autoscalers;
    this.#desired = parts.desired;
    this.#owned = parts.owned;
  }

  /** Resolves when everything runs and the activators are listed. */
  static async start(
    deps: { readonly clock: Clock; readonly random: Random },
    options: ClusterOptions = {},
  ): Promise<Cluster> {
    const { clock, random } = deps;
    await using owned = new AsyncDisposableStack();
    const directory = mkdtempSync(join(tmpdir(), "rouse-cluster-"));
    owned.defer(() => rmSync(directory, { recursive: true, force: true }));
    const own = (plan: MemberPlan): Member => owned.use(new Member(clock, plan));
    const net = `127.${random.integer(251, 254)}.${random.integer(0, 255)}`;
    const log = (name: string): string => join(directory, `${name}.log`);
    const source = (name: string, args: readonly string[]): MemberPlan["run"] => ({
      kind: "source",
      path: join(import.meta.dirname, `${name}-process.ts`),
      args,
    });
    const path = { PATH: "/usr/bin:/bin" };

    const apiPlan = { name: "api", run: source("api", [directory]), environment: path, log: log("api") };
    const api = await own(apiPlan).start();
    const kubeconfig = api.said;
    const server = findServer({ clock }, { KUBECONFIG: kubeconfig });
    const client = owned.use(new HttpKubeClient({ clock, random, server, userAgent: "the-test" }));
    await createClusterObjects(client);
    const endpoints = owned.use(new Informer<Endpoints>({ client, clock, random }, EndpointsKind));
    const desired: Desired = new Set();
    const autoscalers = owned.use(
      new Informer<PodAutoscaler>({ client, clock, random }, PodAutoscalerKind).handle({
        changed: ({ metadata, status }) => {
          for (const told of desired)
            if (status?.desiredScale !== undefined) told(metadata.name, status.desiredScale);
        },
        removed: () => {},
      }),
    );
    await Promise.all([endpoints.start(), autoscalers.start()]);

    const members = new Map<string, Member>();
    const proxy = owned.use(
      await ServiceProxy.start(`${net}.1`, ({ name, namespace }) => {
        if (name === "autoscaler") {
          const up = REPLICAS.map((replica) => members.get(`autoscaler-${replica}`)).filter(
            (member) => member?.isRunning === true,
          );
          const ip = up[random.integer(0, Math.max(0, up.length - 1))]?.plan.ready?.ip;
          return ip === undefined ? undefined : { ip, port: STAT_PORT };
        }
        return readyEndpoints(endpoints.get(objectKey({ namespace, name })))[0];
      }),
    );
    const bundle = (name: string): string => join(options.root ?? ROOT, "packages", name, "dist/main.cjs");
    const network = join(import.meta.dirname, "cluster-network.cjs");
    const replica = (
      kind: "controller" | "autoscaler" | "activator",
      index: number,
      own: { readonly port: number; readonly path: string; readonly environment?: Record<string, string> },
    ): MemberPlan => {
      const name = `${kind}-${REPLICAS[index]}`;
      const ip = `${net}.${{ controller: 10, autoscaler: 20, activator: 30 }[kind] + index}`;
      return {
        name,
        run: { kind: "bundle", args: ["--require", network, bundle(kind)] },
        environment: {
          ...path,
          KUBECONFIG: kubeconfig,
          POD_NAME: name,
          POD_IP: ip,
          SYSTEM_NAMESPACE,
          ROUSE_LISTEN_IP: ip,
          ROUSE_ENDPOINTS: options.hasSlices === true ? "slices" : "endpoints",
          CLUSTER_PROXY: `${net}.1:${proxy.port}`,
          ...own.environment,
        },
        ready: { ip, port: own.port, path: own.path },
        log: log(name),
      };
    };
    const plans = REPLICAS.flatMap((_, index) => [
      replica("controller", index, { port: ADMIN_PORT, path: "/readyz" }),
      replica("autoscaler", index, { port: STAT_PORT, path: "/" }),
      replica("activator", index, {
        port: HTTP_PORT,
        path: "/",
        environment: {
          ROUSE_REVISIONS: "podautoscalers",
          ROUSE_LEAVING: options.leaving ?? "2s",
          METRICS_PROMETHEUS_HOST: `${net}.${30 + index}`,
        },
      }),
    ]);
    for (const plan of plans) members.set(plan.name, own(plan));
    await Promise.all([...members.values()].map((member) => member.start()));
    mkdirSync(join(directory, "node"));
    const node = own({
      name: "node",
      run: source("node", [
        join(directory, "node"),
        bundle("queue-proxy"),
        ...REPLICAS.map((_, index) => `${net}.${10 + index}:${WEBHOOK_PORT}`),
      ]),
      environment: { ...path, KUBECONFIG: kubeconfig, CLUSTER_SLICES: String(options.hasSlices === true) },
      log: log("node"),
    });
    owned.defer(() => node.end("SIGTERM")); // its pods end with it
    members.set("node", await node.start());
    const cluster = new Cluster(deps, {
      directory,
      api,
      members,
      client,
      endpoints,
      autoscalers,
      desired,
      owned: owned.move(),
    });
    await cluster.#listActivators();
    cluster.#watchActivators();
    return cluster;
  }

  member(name: string): Member {
    const found = this.members.get(name);
    if (found === undefined) throw new Error(`no member ${name}`);
    return found;
  }

  /** GETs of the Service of that name in `default`, to whoever its endpoints are. */
  load(name: string): Load {
    const key = objectKey({ namespace: "default", name });
    return new Load(this.#deps, {
      host: `${name}.default.svc.cluster.local`,
      endpoints: () => readyEndpoints(this.#endpoints.get(key)),
    });
  }

  endpointsOf(name: string): readonly { readonly ip: string; readonly port: number }[] {
    return readyEndpoints(this.#endpoints.get(objectKey({ namespace: "default", name })));
  }

  /** Services of `default` that have somebody to go to. */
  get servicesListed(): number {
    let listed = 0;
    for (const endpoints of this.#endpoints.list()) {
      if (endpoints.metadata.namespace === "default" && readyEndpoints(endpoints).length > 0) listed++;
    }
    return listed;
  }

  /** Pods the autoscaler wants of the service; `undefined` before it has said so. */
  desiredOf(name: string): number | undefined {
    return this.#autoscalers.get(objectKey({ namespace: "default", name }))?.status?.desiredScale;
  }

  /** Told whenever an autoscaler has written what it wants. */
  onDesired(told: (name: string, pods: number) => void): Disposable {
    this.#desired.add(told);
    return { [Symbol.dispose]: () => void this.#desired.delete(told) };
  }

  /** Names of the members that hold Leases now; "" for one nobody holds. */
  async leaseHolders(): Promise<readonly string[]> {
    const { items } = await this.client.list(LeaseKind, { namespace: SYSTEM_NAMESPACE });
    return items.map(({ spec }) => parseIdentity(spec.holderIdentity)?.podName ?? "");
  }

  /** Ends an activator as Kubernetes does: it leaves the endpoints at once, and is told to go. */
  async endActivator(name: string): Promise<void> {
    this.#leaving.add(name);
    await this.#listActivators();
    await this.member(name).end("SIGTERM");
    this.#leaving.delete(name);
  }

  /** Which verbs each program has used so far. */
  usedVerbs(): Readonly<Record<string, readonly string[]>> {
    return JSON.parse(readFileSync(join(this.directory, "verbs.json"), "utf8"));
  }

  /** Resolves once `is` holds, looked at whenever some time has passed. @throws after `withinMs` */
  async until(what: string, withinMs: number, is: () => boolean | Promise<boolean>): Promise<void> {
    const { clock } = this.#deps;
    const end = clock.now() + withinMs;
    while (!(await is())) {
      if (clock.now() > end) throw new Error(`within ${withinMs} ms not: ${what}`);
      await this.pause(PROBE_MS / 4);
    }
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#deps.clock.after(ms, resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }

  /** What the kubelet and the controller of Endpoints do for the activators' own Service. */
  #watchActivators(): void {
    let timer: Disposable | undefined;
    const look = (): void => {
      timer = this.#deps.clock.after(
        PROBE_MS,
        () =>
          void this.#listActivators()
            .catch(() => {})
            .then(look),
      );
    };
    look();
    this.#owned.defer(() => timer?.[Symbol.dispose]());
  }

  async #listActivators(): Promise<void> {
    const ready: string[] = [];
    for (const [name, member] of this.members) {
      if (!name.startsWith("activator") || this.#leaving.has(name) || !(await member.answers())) continue;
      ready.push(member.plan.ready?.ip ?? "");
    }
    const listed = ready.join(" ");
    if (listed === this.#listed) return;
    const endpoints: Endpoints = {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { namespace: SYSTEM_NAMESPACE, name: ACTIVATOR_SERVICE },
      subsets:
        ready.length === 0
          ? []
          : [
              {
                addresses: ready.map((ip) => ({ ip })),
                ports: [
                  { name: "http", port: HTTP_PORT, protocol: "TCP" },
                  { name: "http2", port: H2C_PORT, protocol: "TCP" },
                ],
              },
            ],
    };
    try {
      await this.client.update(EndpointsKind, endpoints);
    } catch (error) {
      if (!isKubeError(error, "NotFound")) throw error;
      await this.client.create(EndpointsKind, endpoints);
    }
    this.#listed = listed;
  }
}

function readyEndpoints(
  endpoints: Pick<Endpoints, "subsets"> | undefined,
): readonly { readonly ip: string; readonly port: number }[] {
  return (endpoints?.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    const port = ports.find(({ name }) => name === "http")?.port;
    return port === undefined ? [] : addresses.map(({ ip }) => ({ ip, port }));
  });
}

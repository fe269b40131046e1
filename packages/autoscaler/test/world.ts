import {
  ACTIVATOR_SERVICE,
  apiVersion,
  ConfigMapKind,
  type Deployment,
  DeploymentKind,
  type Endpoints,
  EndpointsKind,
  findCondition,
  Informer,
  InProcessKubeClient,
  type KubeClient,
  type KubeError,
  labels,
  ObjectStore,
  type PodAutoscaler,
  PodAutoscalerKind,
  PodKind,
  parseRfc3339,
  type RevisionKey,
  revisionKey,
  rfc3339,
  SeededRandom,
  type ServerlessService,
  ServerlessServiceKind,
  type Stat,
  type Stored,
  SYSTEM_NAMESPACE,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { Autoscaler, type AutoscalerOptions, type ProbeTarget } from "../src/index.ts";

const NAMESPACE = "default";

export interface WorldOptions extends AutoscalerOptions {
  readonly config?: Readonly<Record<string, string>>;
  /** From a pod's creation to its being ready. */
  readonly podStartMs?: number;
  readonly activators?: number;
  /** Whether the autoscaler gets copies, as over a wire, in place of the API's own objects. */
  readonly isRemote?: boolean;
  /** How far behind the autoscaler's watches are. */
  readonly watchLagMs?: number;
}

export interface RevisionOptions {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly containerConcurrency?: number;
  readonly reachability?: "" | "Reachable" | "Unreachable";
  readonly replicas?: number;
}

/** One request for another scale. */
export interface ScalePatch {
  readonly atMs: number;
  readonly name: string;
  readonly from: number;
  readonly replicas: number;
  /** Of the PodAutoscaler's Active condition. */
  readonly active: string;
  readonly activeForMs: number;
  readonly proxyForMs: number;
  /** Whether the activator answered a probe at this very instant. */
  readonly isProbed: boolean;
}

/**
 * The rest of a cluster around one autoscaler, in virtual time: a ServerlessService gets its two Services and its
 * conditions, a Deployment its pods, and pods and activators report the load a test asks for.
 */
export class World implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly client: KubeClient;
  readonly probes: ProbeTarget[] = [];
  /** Every scale the autoscaler asked for, with what it could know at that instant. */
  readonly scalePatches: ScalePatch[] = [];
  /** Writes of any kind the autoscaler made. */
  writes = 0;
  /** Whether a probe meets an activator; by default whenever the mode says so. */
  isActivatorAnswering: (target: ProbeTarget) => Promise<boolean> = (target) =>
    Promise.resolve(this.mode(target.serviceName) === "Proxy" || this.readyPods(target.serviceName) === 0);
  /** What the autoscaler's creating or patching an object of that kind fails with. */
  refuse: (kind: { readonly kind: string }) => KubeError | undefined = () => undefined;
  /** Requests in flight at each revision's pods together, not through an activator. */
  directLoad = 0;
  /** Pods that do not answer a scrape. */
  readonly silentPods = new Set<string>();
  scrapes = 0;
  /** Whether ServerlessServices are looked after. */
  isServing = true;
  readonly #store: ObjectStore;
  readonly #podStartMs: number;
  readonly #watchLagMs: number;
  readonly #isRemote: boolean;
  readonly #informers: Disposable[] = [];
  #autoscaler: Autoscaler | undefined;
  #podNumber = 0;
  #confirmedAtMs = Number.NaN;

  private constructor(seed: number, options: WorldOptions) {
    this.random = new SeededRandom(seed);
    this.#store = new ObjectStore({ wall: () => this.clock.wall(), random: this.random });
    this.client = new InProcessKubeClient({ store: this.#store, clock: this.clock });
    this.#podStartMs = options.podStartMs ?? 100;
    this.#watchLagMs = options.watchLagMs ?? 0;
    this.#isRemote = options.isRemote ?? false;
  }

  static async start(options: WorldOptions = {}, seed = 1): Promise<World> {
    const world = new World(seed, options);
    await world.setActivators(options.activators ?? 1);
    if (options.config !== undefined) await world.configure(options.config);
    await world.#follow();
    await world.startAutoscaler(options);
    return world;
  }

  get autoscaler(): Autoscaler {
    if (this.#autoscaler === undefined) throw new Error("no autoscaler is running");
    return this.#autoscaler;
  }

  async startAutoscaler(options: AutoscalerOptions = {}): Promise<void> {
    this.#autoscaler = await Autoscaler.start(
      {
        client: this.#watchedClient(),
        clock: this.clock,
        random: this.random,
        log: silentLogger,
        scraper: { scrape: (pod) => this.#scrape(pod.name) },
        activatorProbe: {
          isInPath: async (target) => {
            this.probes.push(target);
            const isInPath = await this.isActivatorAnswering(target);
            if (isInPath) this.#confirmedAtMs = this.clock.now();
            return isInPath;
          },
        },
      },
      options,
    );
    await this.clock.settle();
  }

  async stopAutoscaler(): Promise<void> {
    await this.autoscaler.close();
    this.#autoscaler = undefined;
  }

  async configure(data: Readonly<Record<string, string>>): Promise<void> {
    const metadata = { namespace: SYSTEM_NAMESPACE, name: "config-autoscaler" };
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data };
    if (this.#store.find(ConfigMapKind, metadata) === undefined)
      await this.client.create(ConfigMapKind, object);
    else await this.client.update(ConfigMapKind, object);
    await this.clock.settle();
  }

  async setActivators(count: number): Promise<void> {
    const metadata = { namespace: SYSTEM_NAMESPACE, name: ACTIVATOR_SERVICE };
    const addresses = Array.from({ length: count }, (_, index) => ({ ip: `127.0.9.${index + 1}` }));
    const object: Endpoints = {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata,
      subsets: [{ addresses, ports: [{ port: 8012 }] }],
    };
    if (this.#store.find(EndpointsKind, metadata) === undefined)
      await this.client.create(EndpointsKind, object);
    else await this.client.update(EndpointsKind, object);
    await this.clock.settle();
  }

  /** A Deployment and its PodAutoscaler, as the revision reconciler makes them. */
  async addRevision(name: string, options: RevisionOptions = {}): Promise<RevisionKey> {
    const owned = {
      namespace: NAMESPACE,
      labels: { [labels.revision]: name, [labels.configuration]: name },
    };
    await this.client.create<Deployment>(DeploymentKind, {
      apiVersion: apiVersion(DeploymentKind),
      kind: "Deployment",
      metadata: { ...owned, name: `${name}-deployment` },
      spec: {
        replicas: options.replicas ?? 1,
        selector: { matchLabels: { [labels.revision]: name } },
        template: {
          metadata: { labels: { [labels.revision]: name } },
          spec: { containers: [{ name: "user" }] },
        },
      },
    });
    await this.client.create<PodAutoscaler>(PodAutoscalerKind, {
      apiVersion: apiVersion(PodAutoscalerKind),
      kind: "PodAutoscaler",
      metadata: { ...owned, name, annotations: options.annotations ?? {} },
      spec: {
        containerConcurrency: options.containerConcurrency ?? 0,
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: `${name}-deployment` },
        reachability: options.reachability ?? "Reachable",
        protocolType: "http1",
      },
    });
    await this.clock.settle();
    return revisionKey({ namespace: NAMESPACE, name });
  }

  autoscalerOf(name: string): Stored<PodAutoscaler> {
    return this.#find(PodAutoscalerKind, name);
  }

  sks(name: string): Stored<ServerlessService> {
    return this.#find(ServerlessServiceKind, name);
  }

  mode(name: string): "Serve" | "Proxy" {
    return this.sks(name).spec.mode;
  }

  replicas(name: string): number {
    return this.#find(DeploymentKind, `${name}-deployment`).spec.replicas ?? 1;
  }

  readyPods(name: string): number {
    return this.#podsOf(name).filter(
      (pod) => findCondition(pod.status?.conditions, "Ready")?.status === "True",
    ).length;
  }

  /** `True`, `False NoTraffic`, … */
  condition(name: string, type: string): string {
    const condition = findCondition(this.autoscalerOf(name).status?.conditions, type);
    return [condition?.status, condition?.reason].filter(Boolean).join(" ");
  }

  /** One activator's report of `concurrency` requests in flight. */
  report(revision: RevisionKey, concurrency: number, rps = concurrency): void {
    this.autoscaler.send([{ revision, stat: stat({ podName: "activator", concurrency, rps }) }]);
  }

  /** Lets time pass while an activator reports `concurrency` each second. */
  async load(revision: RevisionKey, concurrency: number, seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.report(revision, concurrency);
      await this.clock.advanceAsync(1_000);
    }
  }

  async idle(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) await this.clock.advanceAsync(1_000);
  }

  async removeRevision(name: string): Promise<void> {
    await this.client.delete(PodAutoscalerKind, { namespace: NAMESPACE, name });
    await this.clock.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#autoscaler !== undefined) await this.stopAutoscaler();
    for (const informer of this.#informers) informer[Symbol.dispose]();
  }

  /** The client the autoscaler gets: it notes what is written. */
  #watchedClient(): KubeClient {
    const { client } = this;
    const noted = <T>(call: Promise<T>): Promise<T> => {
      this.writes++;
      return call;
    };
    return {
      get: (kind, ref) => client.get(kind, ref),
      list: async (kind, query) => {
        const list = await client.list(kind, query);
        return this.#isRemote ? structuredClone(list) : list;
      },
      watch: (kind, query, sink) =>
        client.watch(kind, query, {
          event: (event) => this.#lagged(() => sink.event(this.#isRemote ? structuredClone(event) : event)),
          closed: sink.closed,
        }),
      create: (kind, object) => {
        const refusal = this.refuse(kind);
        return refusal === undefined ? noted(client.create(kind, object)) : Promise.reject(refusal);
      },
      update: (kind, object) => noted(client.update(kind, object)),
      updateStatus: (kind, object) => noted(client.updateStatus(kind, object)),
      delete: (kind, ref, options) => noted(client.delete(kind, ref, options)),
      patch: (kind, ref, patch, subresource) => {
        const refusal = this.refuse(kind);
        if (refusal !== undefined) return Promise.reject(refusal);
        const replicas = patch.kind === "json" ? patch.operations[0] : undefined;
        if (subresource === "scale" && replicas !== undefined && "value" in replicas) {
          this.#noteScale(ref.name.replace(/-deployment$/, ""), Number(replicas.value));
        }
        return noted(client.patch(kind, ref, patch, subresource));
      },
    };
  }

  #lagged(run: () => void): void {
    if (this.#watchLagMs === 0) run();
    else this.clock.after(this.#watchLagMs, run);
  }

  #noteScale(name: string, replicas: number): void {
    const wall = this.clock.wall();
    const { status } = this.autoscalerOf(name);
    const active = findCondition(status?.conditions, "Active");
    const inPath = findCondition(this.sks(name).status?.conditions, "ActivatorEndpointsPopulated");
    const sinceMs = (time: string | undefined): number => wall - (parseRfc3339(time ?? "") ?? wall);
    this.scalePatches.push({
      atMs: this.clock.now(),
      name,
      from: this.replicas(name),
      replicas,
      active: active?.status ?? "Unknown",
      activeForMs: sinceMs(active?.lastTransitionTime),
      proxyForMs: inPath?.status === "True" ? sinceMs(inPath.lastTransitionTime) : 0,
      isProbed: this.#confirmedAtMs === this.clock.now(),
    });
  }

  async #follow(): Promise<void> {
    const deployments = new Informer(this, DeploymentKind).handle({
      changed: (deployment) => {
        const replicas = deployment.spec.replicas ?? 1;
        const name = deployment.metadata.labels?.[labels.revision] ?? "";
        void this.#bringPods(name, replicas);
      },
      removed: () => {},
    });
    const serverlessServices = new Informer(this, ServerlessServiceKind).handle({
      changed: (sks) => void this.#bringServerlessService(sks.metadata.name),
      removed: () => {},
    });
    const pods = new Informer(this, PodKind).handle({
      changed: (pod) => void this.#bringServerlessService(pod.metadata.labels?.[labels.revision] ?? ""),
      removed: (pod) => void this.#bringServerlessService(pod.metadata.labels?.[labels.revision] ?? ""),
    });
    this.#informers.push(deployments, serverlessServices, pods);
    await Promise.all([deployments.start(), serverlessServices.start(), pods.start()]);
  }

  /** What the ServerlessService controller reports: K-46, K-48. */
  async #bringServerlessService(name: string): Promise<void> {
    const sks = this.#store.find(ServerlessServiceKind, { namespace: NAMESPACE, name });
    if (sks === undefined || !this.isServing) return;
    const { spec, status, metadata } = this.sks(name);
    const isPopulated = this.readyPods(name) > 0;
    const inPath = !isPopulated || spec.mode === "Proxy" ? "True" : "False";
    const at = rfc3339(this.clock.wall());
    const before = findCondition(status?.conditions, "ActivatorEndpointsPopulated");
    const conditions = [
      {
        type: "ActivatorEndpointsPopulated",
        status: inPath,
        lastTransitionTime: before?.status === inPath ? (before.lastTransitionTime ?? at) : at,
      },
      { type: "Ready", status: isPopulated ? "True" : "Unknown", lastTransitionTime: at },
    ] as const;
    const isSame =
      status?.observedGeneration === metadata.generation &&
      before?.status === inPath &&
      findCondition(status?.conditions, "Ready")?.status === conditions[1].status;
    if (isSame) return;
    await this.client.updateStatus(ServerlessServiceKind, {
      ...this.sks(name),
      status: {
        observedGeneration: metadata.generation,
        serviceName: name,
        privateServiceName: `${name}-private`,
        conditions,
      },
    });
  }

  async #bringPods(revision: string, replicas: number): Promise<void> {
    const pods = this.#podsOf(revision);
    for (const pod of pods.slice(replicas)) {
      await this.client.delete(PodKind, pod.metadata, { gracePeriodSeconds: 0 });
    }
    for (let missing = replicas - pods.length; missing > 0; missing--) {
      const name = `${revision}-${++this.#podNumber}`;
      await this.client.create(PodKind, {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { namespace: NAMESPACE, name, labels: { [labels.revision]: revision } },
        spec: { containers: [{ name: "user" }] },
      });
      this.clock.after(this.#podStartMs, () => void this.#becomeReady(name));
    }
  }

  async #becomeReady(name: string): Promise<void> {
    const pod = this.#store.find(PodKind, { namespace: NAMESPACE, name });
    if (pod === undefined) return;
    await this.client.updateStatus(PodKind, {
      ...this.#find(PodKind, name),
      status: {
        phase: "Running",
        podIP: `127.1.0.${this.#podNumber % 250}`,
        startTime: rfc3339(this.clock.wall()),
        conditions: [{ type: "Ready", status: "True" }],
      },
    });
  }

  async #scrape(podName: string): Promise<Stat | undefined> {
    this.scrapes++;
    if (this.silentPods.has(podName)) return undefined;
    // A pod the autoscaler's cache still has may be gone.
    const load = this.directLoad / Math.max(1, this.readyPods(podName.replace(/-[0-9]+$/, "")));
    return stat({ podName, concurrency: load, rps: load });
  }

  #podsOf(revision: string) {
    return this.#store
      .list(PodKind, { namespace: NAMESPACE, labelSelector: `${labels.revision}=${revision}` })
      .map((pod) => this.#find(PodKind, pod.metadata.name));
  }

  /** A kind's table holds objects of that kind. */
  #find<
    T extends {
      readonly apiVersion: string;
      readonly kind: string;
      readonly metadata: { readonly name: string };
    },
  >(kind: Parameters<KubeClient["get"]>[0] & { readonly object?: T }, name: string): Stored<T> {
    return this.#store.get(kind, { namespace: NAMESPACE, name }) as unknown as Stored<T>;
  }
}

/** A stat of one second; `proxied` is the part of it that came through an activator. */
export function stat(of: {
  readonly podName: string;
  readonly concurrency: number;
  readonly rps: number;
  readonly proxied?: number;
}): Stat {
  return {
    podName: of.podName,
    averageConcurrentRequests: of.concurrency,
    averageProxiedConcurrentRequests: of.proxied ?? 0,
    requestCount: of.rps,
    proxiedRequestCount: of.proxied ?? 0,
    processUptime: 0,
    timestamp: 0,
  };
}

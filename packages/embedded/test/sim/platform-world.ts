import { Activator } from "@rouse/activator";
import { Autoscaler } from "@rouse/autoscaler";
import { Controller } from "@rouse/controller";
import { Gateway } from "@rouse/gateway";
import {
  ConfigMapKind,
  type Deployment,
  DeploymentKind,
  type Endpoints,
  EndpointsKind,
  endpoint,
  endpointAddress,
  findCondition,
  type KnativeService,
  KnativeServiceKind,
  type KubeClient,
  type KubeObject,
  labels,
  objectKey,
  type Pod,
  PodKind,
  portNames,
  type Random,
  revisionKey,
  SeededRandom,
  type ServerlessService,
  ServerlessServiceKind,
  type StatMessage,
  type Stored,
  SYSTEM_NAMESPACE,
  silentLogger,
  type WatchSink,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { ApiServer } from "../../src/api-server/api-server.ts";
import { ServiceResolver } from "../../src/home/service-resolver.ts";
import { createSystemObjects, publishActivator } from "../../src/home/system-objects.ts";
import { Kubelet } from "../../src/kubelet/kubelet.ts";
import { Workloads } from "../../src/workloads/workloads.ts";
import { type ClientFaults, FaultyClient, StallingClock } from "./faults.ts";
import { SimHead } from "./sim-head.ts";
import { type Fate, ID_HEADER, SimMachine, WORK_HEADER } from "./sim-machine.ts";
import { SimNetwork } from "./sim-network.ts";

const NAMESPACE = "default";
const GATEWAY = { ip: "127.0.0.1", port: 8080 };
const HISTORY_MAX = 4_000;
const SAMPLE_MS = 250;
/** A pod was free for this long without a break, and a request was not given to it: it is lost. */
const FREE_MS_MAX = 6_000;
/** The public endpoints may lead nowhere for no longer than news and retries take. I-2. */
const NOWHERE_MS_MAX = 5_000;
/** A request this old is in the averages of both windows, so the last pod has to stay. */
const IN_AVERAGES_MS = 4_000;
/** A program that fails to start several times is tried again after minutes. */
const READY_SECONDS_MAX = 900;
/** After the activators take the path again. */
const WORST_TIME_MS = 4_000;
const SERVED = 200;

/** What one service of the world is like. */
export interface SimService {
  readonly name: string;
  readonly containerConcurrency: number;
  readonly timeoutSeconds: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Everything one seed decides about a run. */
export interface Scenario {
  readonly seed: number;
  readonly services: readonly SimService[];
  readonly activators: number;
  readonly startMs: readonly [min: number, max: number];
  readonly fates: { readonly failsToStart: number; readonly crashes: number; readonly hangs: number };
  readonly faults: ClientFaults;
  /** How late the gateway hears of endpoints: the network's programming. */
  readonly networkLagMs: number;
  readonly stalls: number;
  readonly scrapeFailures: number;
  readonly trafficMs: number;
}

interface SimRequest {
  readonly id: string;
  readonly service: string;
  readonly sentAt: number;
  readonly workMs: number;
  /** When a pod took it; the pod's own queue is not left again. */
  takenAt: number;
  /** Address of that pod. */
  takenBy: string;
  status: number;
  text: string;
  endings: number;
  endedAt: number;
  isHarmed: boolean;
  hasLeft: boolean;
  wasCut: boolean;
}

export interface Report {
  readonly requests: number;
  readonly statuses: ReadonlyMap<number, number>;
  readonly podsStarted: number;
  readonly zeros: number;
  readonly violations: readonly string[];
  /** What happened, in order. */
  readonly history: readonly string[];
}

/** The whole platform in virtual time: everything real but sockets, processes and the machine. */
export class PlatformWorld {
  readonly #scenario: Scenario;
  readonly #clock = new VirtualClock();
  readonly #random: Random;
  readonly #network: SimNetwork;
  readonly #machine: SimMachine;
  readonly #history: string[] = [];
  readonly #violations: string[] = [];
  readonly #requests = new Map<string, SimRequest>();
  readonly #stalling: StallingClock[] = [];
  readonly #running = new AsyncDisposableStack();
  /** Since when a pod of the service could take a request. */
  readonly #freeSince = new Map<string, number>();
  /** Spans in which one could, that are over. */
  readonly #freeSpans: { readonly service: string; readonly from: number; readonly to: number }[] = [];
  readonly #activatorIps = new Set<string>();
  readonly #nowhereSince = new Map<string, number>();
  /** Whether there are clients. */
  #isOpen = false;
  #isCalm = false;
  #podsStarted = 0;
  #zeros = 0;

  private constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = new SeededRandom(scenario.seed);
    this.#network = new SimNetwork({ clock: this.#clock, random: this.#random });
    this.#machine = new SimMachine({
      clock: this.#clock,
      random: this.#random,
      network: this.#network,
      draw: () => {
        this.#podsStarted++;
        return { startMs: this.#random.integer(...scenario.startMs), fate: this.#fate() };
      },
      harmed: (id) => {
        const request = this.#requests.get(id);
        if (request !== undefined) request.isHarmed = true;
      },
      harmedAt: (ip) => {
        for (const request of this.#requests.values()) {
          if (request.takenBy === ip && request.endings === 0) request.isHarmed = true;
        }
      },
      told: (text) => this.#tell(text),
    });
    this.#network.onTaken = ({ ip }, head) => {
      const request = this.#requests.get(head.get(ID_HEADER) ?? "");
      const isPod = ip !== GATEWAY.ip && !this.#activatorIps.has(ip);
      if (request === undefined || !isPod) return;
      request.takenAt = this.#clock.now();
      request.takenBy = ip;
    };
    this.#machine.scrapeFails = () => !this.#isCalm && this.#random.chance(scenario.scrapeFailures);
  }

  /** Plays one scenario to its end. Never throws for what the platform does: that is in the report. */
  static async run(scenario: Scenario): Promise<Report> {
    const world = new PlatformWorld(scenario);
    try {
      await world.#play();
    } catch (error) {
      world.#violate(`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
    const statuses = new Map<number, number>();
    for (const { status } of world.#requests.values()) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    return {
      requests: world.#requests.size,
      statuses,
      podsStarted: world.#podsStarted,
      zeros: world.#zeros,
      violations: world.#violations,
      history: world.#history,
    };
  }

  async #play(): Promise<void> {
    const { trafficMs, services } = this.#scenario;
    await this.#settled(this.#start());
    await this.#apply();
    this.#sample();
    this.#isOpen = true;
    for (const service of services) this.#traffic(service);
    if (this.#scenario.stalls > 0) this.#stalls();
    await this.#clock.advanceAsync(trafficMs);
    this.#isCalm = true;
    await this.#clock.advanceAsync(60_000);
    this.#judge();
    this.#stopped = true;
    await this.#settled(this.#running.disposeAsync());
  }

  #stopped = false;

  async #start(): Promise<void> {
    const { activators } = this.#scenario;
    const clock = this.#clock;
    const api = this.#running.use(await ApiServer.start({ clock, random: this.#random, log: silentLogger }));
    await createSystemObjects(api.client);
    const patch = { kind: "merge", body: { data: { "scale-to-zero-grace-period": "6s" } } } as const;
    const config = { namespace: SYSTEM_NAMESPACE, name: "config-autoscaler" };
    await api.client.patch(ConfigMapKind, config, patch);
    await this.#follow(api.client);

    const network = this.#network;
    const gateway = await Gateway.start(
      { ...this.#component(api.client, { lagMs: this.#scenario.networkLagMs }), network },
      GATEWAY,
    );
    this.#running.use(gateway);
    const resolver = this.#running.use(new ServiceResolver(this.#component(api.client)));
    await resolver.start();
    const autoscaler = this.#running.use(
      await Autoscaler.start({
        ...this.#component(api.client),
        scraper: this.#machine,
        activatorProbe: {
          isInPath: async ({ serviceName, namespace }) => {
            const address = resolver.resolve(serviceName, namespace);
            return address !== undefined && this.#activatorIps.has(address.ip);
          },
        },
      }),
    );
    const all: Activator[] = [];
    for (let index = 1; index <= activators; index++) {
      const ip = `127.253.0.${index}`;
      this.#activatorIps.add(ip);
      const stats = { send: (batch: readonly StatMessage[]) => autoscaler.send(batch) };
      const askPod = async (pod: Parameters<typeof endpointAddress>[0]): Promise<boolean> =>
        this.#network.isListening(endpointAddress(pod)) && this.#servesAt(endpointAddress(pod));
      const activator = await Activator.start(
        { ...this.#component(api.client), stats, network, askPod },
        { ip, port: 8012, podName: `activator-${index}`, podIp: ip },
      );
      all.push(this.#running.use(activator));
    }
    await this.#publish(api.client, [...this.#activatorIps]);
    const kubelet = this.#running.use(
      await Kubelet.start(
        {
          ...this.#component(api.client),
          sidecars: this.#machine,
          machine: this.#machine.machine,
          hooks: {
            onReady: (pod, address) => {
              const { namespace, labels: podLabels } = pod.metadata;
              const name = podLabels?.[labels.revision] ?? "";
              for (const each of all) each.podReady(revisionKey({ namespace, name }), endpoint(address));
            },
          },
        },
        { dataDirectory: "" },
      ),
    );
    this.#running.use(
      await Workloads.start({
        ...this.#component(api.client),
        inFlight: (pod) => kubelet.inFlight(pod),
        podCreated: (pod, at) => kubelet.podCreated(pod, at),
      }),
    );
    this.#running.use(await Controller.start(this.#component(api.client), {}));
    this.#client = api.client;
  }

  #client: KubeClient | undefined;

  get #api(): KubeClient {
    if (this.#client === undefined) throw new Error("the world has not started");
    return this.#client;
  }

  #component(client: KubeClient, { lagMs }: { readonly lagMs?: number } = {}) {
    const clock = new StallingClock(this.#clock);
    this.#stalling.push(clock);
    const { faults } = this.#scenario;
    const calm: ClientFaults = { writeFailures: 0, conflicts: 0, lagMs: 1, watchEnds: 0 };
    const inner = { clock: this.#clock, random: this.#random };
    const faulty = new FaultyClient(client, inner, () =>
      this.#isCalm ? calm : { ...faults, lagMs: lagMs ?? faults.lagMs },
    );
    return { client: faulty, clock, random: this.#random, log: silentLogger };
  }

  async #publish(client: KubeClient, ips: readonly string[]): Promise<void> {
    const [first = ""] = ips;
    await publishActivator(client, { ip: first, port: 8012, h2cPort: 8013, name: "activator" });
    const ref = { namespace: SYSTEM_NAMESPACE, name: "activator-service" };
    const endpoints = await client.get(EndpointsKind, ref);
    const subsets = (endpoints.subsets ?? []).map((subset) => ({
      ...subset,
      addresses: ips.map((ip) => ({ ip })),
    }));
    await client.update(EndpointsKind, { ...endpoints, subsets });
  }

  /** Lets time pass in small steps until `work` is done. */
  async #settled<R>(work: Promise<R>): Promise<R> {
    let isDone = false;
    const watched = work.finally(() => {
      isDone = true;
    });
    watched.catch(() => {});
    for (let step = 0; step < 5_000 && !isDone; step++) await this.#clock.advanceAsync(10);
    if (!isDone) throw new Error("nothing came of it in 50 s");
    return watched;
  }

  async #apply(): Promise<void> {
    for (const { name, containerConcurrency, timeoutSeconds, annotations } of this.#scenario.services) {
      const service: KnativeService = {
        apiVersion: "serving.knative.dev/v1",
        kind: "Service",
        metadata: { namespace: NAMESPACE, name },
        spec: {
          template: {
            metadata: { annotations },
            spec: {
              containerConcurrency,
              timeoutSeconds,
              containers: [{ name: "user-container", command: ["sim"] }],
            },
          },
        },
      };
      await this.#api.create(KnativeServiceKind, service);
    }
    for (let second = 0; second < READY_SECONDS_MAX; second++) {
      await this.#clock.advanceAsync(1_000);
      const { items } = await this.#api.list(KnativeServiceKind);
      const isReady = (service: Stored<KnativeService>): boolean =>
        findCondition(service.status?.conditions, "Ready")?.status === "True";
      if (items.every(isReady)) {
        this.#tell(`every service is ready after ${second + 1} s`);
        // The gateway may hear of it this much later.
        await this.#clock.advanceAsync(this.#scenario.networkLagMs + 100);
        return;
      }
    }
    throw new Error("the services never became ready");
  }

  /** Silence and bursts, by turns. */
  #traffic(service: SimService): void {
    const until = this.#clock.now() + this.#scenario.trafficMs;
    const turn = (): void => {
      const now = this.#clock.now();
      if (now >= until) return;
      const count = this.#random.chance(0.3) ? this.#random.integer(5, 20) : this.#random.integer(1, 4);
      const spreadMs = this.#random.integer(0, 3_000);
      for (let sent = 0; sent < count; sent++) {
        this.#clock.after(this.#random.integer(0, spreadMs), () => this.#send(service));
      }
      const isQuiet = this.#random.chance(0.35);
      this.#clock.after(
        isQuiet ? this.#random.integer(8_000, 25_000) : this.#random.integer(50, 3_000),
        turn,
      );
    };
    turn();
  }

  #send(service: SimService): void {
    const id = String(this.#requests.size + 1);
    const workMs = this.#random.chance(0.1)
      ? this.#random.integer(2_000, 9_000)
      : this.#random.integer(1, 400);
    const request: SimRequest = {
      id,
      service: service.name,
      sentAt: this.#clock.now(),
      workMs,
      takenAt: Number.POSITIVE_INFINITY,
      takenBy: "",
      status: 0,
      text: "",
      endings: 0,
      endedAt: Number.NaN,
      isHarmed: false,
      hasLeft: false,
      wasCut: false,
    };
    this.#requests.set(id, request);
    const ended = (): void => {
      request.endings++;
      request.endedAt = this.#clock.now();
      if (request.status !== SERVED || request.wasCut) {
        this.#tell(`request ${id} of ${service.name} ends with ${request.status} ${request.text.trim()}`);
      }
    };
    const fields = new Map([
      ["host", `${service.name}.${NAMESPACE}.localhost`],
      [ID_HEADER, id],
      [WORK_HEADER, String(workMs)],
    ]);
    const call = this.#network.call(GATEWAY, new SimHead(fields), {
      refused: () => {
        this.#violate(`request ${id}: the gateway does not listen`);
        ended();
      },
      answered: (status, text) => {
        if (request.status !== 0) this.#violate(`request ${id} was answered twice`);
        request.status = status;
        request.text = text;
      },
      finished: ended,
      cut: () => {
        request.wasCut = true;
        ended();
      },
    });
    if (!this.#random.chance(0.04)) return;
    this.#clock.after(this.#random.integer(1, 3_000), () => {
      if (request.endings > 0) return;
      request.hasLeft = true;
      request.endings++;
      request.endedAt = this.#clock.now();
      call.drop();
    });
  }

  /** Clients that come while the path is being changed, which is when requests get lost. */
  #comeAtTheWorstTime(name: string | undefined): void {
    const service = this.#scenario.services.find((each) => each.name === name);
    if (service === undefined || !this.#isOpen || this.#isCalm) return;
    for (let left = this.#random.integer(0, 2); left > 0; left--) {
      this.#clock.after(this.#random.integer(0, WORST_TIME_MS), () => this.#send(service));
    }
  }

  #stalls(): void {
    if (this.#isCalm) return;
    this.#clock.after(this.#random.integer(2_000, 20_000), () => {
      const clock = this.#stalling[this.#random.integer(0, this.#stalling.length - 1)];
      if (this.#random.chance(this.#scenario.stalls)) clock?.stall(this.#random.integer(100, 2_500));
      this.#stalls();
    });
  }

  #fate(): Fate {
    const { failsToStart, crashes, hangs } = this.#scenario.fates;
    if (this.#isCalm) return { kind: "serves" };
    if (this.#random.chance(failsToStart)) return { kind: "fails-to-start" };
    if (this.#random.chance(crashes)) return { kind: "crashes", afterMs: this.#random.integer(0, 20_000) };
    if (this.#random.chance(hangs)) return { kind: "hangs", afterMs: this.#random.integer(0, 20_000) };
    return { kind: "serves" };
  }

  #servesAt(address: { readonly ip: string }): boolean {
    for (const [pod, proxy] of this.#machine.sidecars) {
      if (proxy.address.ip === address.ip) return this.#machine.processes.get(pod)?.isUp ?? false;
    }
    return false;
  }

  /** Looks at what has to hold at any time. */
  #sample(): void {
    if (this.#stopped) return;
    const now = this.#clock.now();
    for (const service of this.#scenario.services) {
      const isFree = this.#hasFreePod(service);
      const since = this.#freeSince.get(service.name);
      if (isFree && since === undefined) this.#freeSince.set(service.name, now);
      if (!isFree && since !== undefined) {
        this.#freeSince.delete(service.name);
        this.#freeSpans.push({ service: service.name, from: since, to: now });
      }
    }
    this.#lookAtEndpoints(now);
    this.#clock.after(SAMPLE_MS, () => this.#sample());
  }

  /**
   * Whether a request that waits in an activator could go to a pod. With several activators the pods are shared out, so
   * only when each pod could take one is it sure that one of the right share can.
   */
  #hasFreePod({ name, containerConcurrency }: SimService): boolean {
    const isFree: boolean[] = [];
    for (const [pod, process] of this.#machine.processes) {
      const [namespace = "", podName = ""] = pod.split("/");
      const key = objectKey({ namespace, name: podName });
      const isServing = process.isUp || process.isHung; // one that hangs is listed like any other until it is found out
      const isOurs = podName.startsWith(`${name}-`) && isServing;
      if (!isOurs || !this.#machine.sidecars.has(key) || this.#machine.draining.has(key)) continue;
      const hasSlot = containerConcurrency === 0 || process.running < containerConcurrency;
      isFree.push(hasSlot && !process.isHung);
    }
    if (isFree.length === 0) return false;
    return this.#activatorIps.size === 1 ? isFree.includes(true) : !isFree.includes(false);
  }

  /** I-2: activators always could answer, so the public endpoints must lead to somebody. */
  #lookAtEndpoints(now: number): void {
    for (const [key, endpoints] of this.#public) {
      const ips = (endpoints.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
        addresses.map(({ ip }) => ({
          ip,
          port: ports.find(({ name }) => name === portNames.http)?.port ?? 0,
        })),
      );
      const leadsSomewhere = ips.some((address) => this.#network.isListening(address));
      if (leadsSomewhere) this.#nowhereSince.delete(key);
      else if (!this.#nowhereSince.has(key)) this.#nowhereSince.set(key, now);
      const since = this.#nowhereSince.get(key);
      if (since !== undefined && now - since > NOWHERE_MS_MAX) {
        this.#violate(`I-2: public endpoints ${key} lead nowhere since ${since}: ${JSON.stringify(ips)}`);
        this.#nowhereSince.set(key, Number.POSITIVE_INFINITY);
      }
    }
  }

  readonly #public = new Map<string, Stored<Endpoints>>();

  /** Hears of changes as they are made. */
  async #follow(client: KubeClient): Promise<void> {
    const watch = <T extends KubeObject>(
      told: (object: Stored<T>, isGone: boolean) => void,
    ): WatchSink<T> => ({
      event: (event) => {
        if (event.type !== "BOOKMARK") told(event.object, event.type === "DELETED");
      },
      closed: () => {
        if (!this.#stopped) this.#violate("the world lost sight of itself");
      },
    });
    const from = { resourceVersion: (await client.list(DeploymentKind)).resourceVersion };
    const replicas = new Map<string, number>();
    this.#running.use(
      client.watch(
        DeploymentKind,
        from,
        watch<Deployment>((deployment, isGone) => {
          if (isGone) return;
          const { name } = deployment.metadata;
          const before = replicas.get(name);
          const wanted = deployment.spec.replicas ?? 1;
          replicas.set(name, wanted);
          if (before === wanted) return;
          this.#tell(`${name} is scaled ${before ?? "-"} → ${wanted}`);
          if (wanted === 0 && (before ?? 0) > 0) this.#scaledToZero(deployment);
        }),
      ),
    );
    const modes = new Map<string, string>();
    this.#running.use(
      client.watch(
        ServerlessServiceKind,
        from,
        watch<ServerlessService>(({ metadata, spec }) => {
          const mode = `${spec.mode}/${spec.numActivators ?? 0}`;
          if (modes.get(metadata.name) !== mode) this.#tell(`${metadata.name} goes to ${mode}`);
          if (spec.mode === "Proxy" && modes.get(metadata.name)?.startsWith("Serve") === true) {
            this.#comeAtTheWorstTime(metadata.labels?.[labels.service]);
          }
          modes.set(metadata.name, mode);
        }),
      ),
    );
    const pods = new Map<string, string>();
    this.#running.use(
      client.watch(
        PodKind,
        from,
        watch<Pod>(({ metadata, status }, isGone) => {
          const ready = findCondition(status?.conditions, "Ready")?.status === "True" ? "ready" : "not ready";
          const state = isGone ? "gone" : metadata.deletionTimestamp === undefined ? ready : "ending";
          if (pods.get(metadata.name) !== state)
            this.#tell(`pod ${metadata.name} ${status?.podIP ?? ""} is ${state}`);
          pods.set(metadata.name, state);
        }),
      ),
    );
    this.#running.use(
      client.watch(
        EndpointsKind,
        { ...from, labelSelector: `${labels.serviceType}=Public` },
        watch<Endpoints>((endpoints, isGone) => {
          const key = objectKey(endpoints.metadata);
          if (isGone) this.#public.delete(key);
          else if (this.#public.has(key) || (endpoints.subsets?.length ?? 0) > 0)
            this.#public.set(key, endpoints);
          const ips = (endpoints.subsets ?? []).flatMap(({ addresses = [] }) =>
            addresses.map(({ ip }) => ip),
          );
          this.#tell(`public endpoints of ${key}: ${ips.join(" ")}`);
        }),
      ),
    );
  }

  /** No scale to zero with traffic in flight. */
  #scaledToZero(deployment: Stored<Deployment>): void {
    this.#zeros++;
    const revision = deployment.metadata.labels?.[labels.revision] ?? "";
    const service = deployment.metadata.labels?.[labels.service] ?? "";
    const now = this.#clock.now();
    for (const request of this.#requests.values()) {
      const isOpen =
        request.service === service &&
        request.endings === 0 &&
        !request.isHarmed &&
        this.#isTold(request) &&
        !this.#isLeft(request.takenBy);
      if (isOpen && now - request.sentAt > IN_AVERAGES_MS && this.#hasFreeOrBusyPod(service)) {
        this.#violate(
          `${revision} is scaled to zero with request ${request.id} in flight since ${request.sentAt}`,
        );
      }
    }
  }

  /** Whether the autoscaler can know of it: the activator told, or its pod did, while it had the request. */
  #isTold({ takenBy, takenAt }: SimRequest): boolean {
    return takenBy === "" || (this.#machine.scrapedAt.get(takenBy) ?? 0) > takenAt;
  }

  /** A pod that hangs, or that is on its way out already and keeps what it has: nobody counts it any more. */
  #isLeft(ip: string): boolean {
    for (const [pod, proxy] of this.#machine.sidecars) {
      if (proxy.address.ip !== ip) continue;
      return this.#machine.draining.has(pod) || this.#machine.processes.get(pod)?.isHung === true;
    }
    return false;
  }

  #hasFreeOrBusyPod(service: string): boolean {
    for (const [pod, process] of this.#machine.processes) {
      if (pod.startsWith(`${NAMESPACE}/${service}-`) && process.isUp) return true;
    }
    return false;
  }

  /** What has to hold of every request, and of every process. */
  #judge(): void {
    const now = this.#clock.now();
    for (const [service, from] of this.#freeSince) this.#freeSpans.push({ service, from, to: now });
    for (const request of this.#requests.values()) {
      if (request.endings !== 1) this.#violate(`request ${request.id} ended ${request.endings} times`);
      if (request.hasLeft || request.isHarmed) continue;
      if (request.status === 0)
        this.#violate(`request ${request.id} got no status${request.wasCut ? ": cut" : ""}`);
      if (request.status === SERVED && !request.wasCut) continue;
      const why = this.#notExcused(request);
      if (why !== undefined) {
        this.#violate(
          `request ${request.id} of ${request.service}, sent at ${request.sentAt.toFixed(0)}, got ${request.status} at ${request.endedAt.toFixed(0)} (${request.text.trim()}): ${why}`,
        );
      }
    }
    for (const { name, containerConcurrency } of this.#scenario.services) {
      for (const [pod, { runningMax }] of this.#machine.processes) {
        const isOver = containerConcurrency > 0 && runningMax > containerConcurrency;
        if (pod.startsWith(`${NAMESPACE}/${name}-`) && isOver) {
          this.#violate(
            `${pod} had ${runningMax} requests at one time, its limit is ${containerConcurrency}`,
          );
        }
      }
    }
  }

  /** Why the request should have been served, if it should. */
  #notExcused(request: SimRequest): string | undefined {
    const { service, status, sentAt, endedAt, takenAt, text } = request;
    const timeoutMs =
      1_000 * (this.#scenario.services.find(({ name }) => name === service)?.timeoutSeconds ?? 0);
    if (request.wasCut && endedAt - sentAt >= timeoutMs) return undefined;
    if (status !== 503 && status !== 504) return `status ${status} without a fault that met it`;
    // Of the gateway: an activator would have taken the request, had it been sent to one.
    if (text.includes("no ready endpoint") || text.includes("none of its endpoints")) {
      return "there are always activators";
    }
    for (const span of this.#freeSpans) {
      const freeMs = Math.min(span.to, endedAt, takenAt) - Math.max(span.from, sentAt);
      if (span.service === service && freeMs > FREE_MS_MAX) {
        return `a pod was free for ${freeMs.toFixed(0)} ms of its wait`;
      }
    }
    return undefined;
  }

  #violate(text: string): void {
    this.#tell(`VIOLATION ${text}`);
    this.#violations.push(text);
  }

  #tell(text: string): void {
    if (this.#history.length === HISTORY_MAX) this.#history.shift();
    this.#history.push(`${(this.#clock.now() / 1_000).toFixed(3).padStart(9)}  ${text}`);
  }
}

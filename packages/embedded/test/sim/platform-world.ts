import { Activator } from "@rouse/activator";
import { Autoscaler } from "@rouse/autoscaler";
import { Controller } from "@rouse/controller";
import { Gateway } from "@rouse/gateway";
import {
  ConfigMapKind,
  EndpointsKind,
  endpoint,
  endpointAddress,
  findCondition,
  type KnativeService,
  KnativeServiceKind,
  type KubeClient,
  labels,
  type Random,
  revisionKey,
  SeededRandom,
  type StatMessage,
  type Stored,
  SYSTEM_NAMESPACE,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { ApiServer } from "../../src/api-server/api-server.ts";
import { ServiceResolver } from "../../src/home/service-resolver.ts";
import { createSystemObjects, publishActivator } from "../../src/home/system-objects.ts";
import { Kubelet } from "../../src/kubelet/kubelet.ts";
import { Workloads } from "../../src/workloads/workloads.ts";
import { type ClientFaults, FaultyClient, StallingClock } from "./faults.ts";
import type { Scenario, SimService } from "./scenario.ts";
import { SimHead } from "./sim-head.ts";
import { type Fate, ID_HEADER, SimMachine, WORK_HEADER } from "./sim-machine.ts";
import { SimNetwork } from "./sim-network.ts";
import { SERVED, type SimRequest, Witness } from "./witness.ts";

const NAMESPACE = "default";
const GATEWAY = { ip: "127.0.0.1", port: 8080 };
/** A program that fails to start several times is tried again after minutes. */
const READY_SECONDS_MAX = 900;
/** After the activators take the path again. */
const WORST_TIME_MS = 4_000;

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
  readonly #witness: Witness;
  readonly #stalling: StallingClock[] = [];
  readonly #running = new AsyncDisposableStack();
  readonly #activatorIps = new Set<string>();
  /** Whether there are clients. */
  #isOpen = false;
  #isCalm = false;
  #podsStarted = 0;

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
        const request = this.#witness.requests.get(id);
        if (request !== undefined) request.isHarmed = true;
      },
      harmedAt: (ip) => {
        for (const request of this.#witness.requests.values()) {
          if (request.takenBy === ip && request.endings === 0) request.isHarmed = true;
        }
      },
      told: (text) => this.#witness.tell(text),
    });
    this.#witness = this.#running.use(
      new Witness({
        scenario,
        clock: this.#clock,
        machine: this.#machine,
        network: this.#network,
        pathChanging: (service) => this.#comeAtTheWorstTime(service),
      }),
    );
    this.#network.onTaken = ({ ip }, head) => {
      const request = this.#witness.requests.get(head.get(ID_HEADER) ?? "");
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
      world.#witness.violate(
        `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
    const statuses = new Map<number, number>();
    for (const { status } of world.#witness.requests.values())
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    return {
      requests: world.#witness.requests.size,
      statuses,
      podsStarted: world.#podsStarted,
      zeros: world.#witness.zeros,
      violations: world.#witness.violations,
      history: world.#witness.history,
    };
  }

  async #play(): Promise<void> {
    const { trafficMs, services } = this.#scenario;
    await this.#settled(this.#start());
    await this.#apply();
    this.#witness.begin();
    this.#isOpen = true;
    for (const service of services) this.#traffic(service);
    if (this.#scenario.stalls > 0) this.#stalls();
    await this.#clock.advanceAsync(trafficMs);
    this.#isCalm = true;
    await this.#clock.advanceAsync(60_000);
    this.#witness.judge();
    await this.#settled(this.#running.disposeAsync());
  }

  async #start(): Promise<void> {
    const { activators } = this.#scenario;
    const clock = this.#clock;
    const api = this.#running.use(await ApiServer.start({ clock, random: this.#random, log: silentLogger }));
    await createSystemObjects(api.client);
    const patch = { kind: "merge", body: { data: { "scale-to-zero-grace-period": "6s" } } } as const;
    const config = { namespace: SYSTEM_NAMESPACE, name: "config-autoscaler" };
    await api.client.patch(ConfigMapKind, config, patch);
    await this.#witness.follow(api.client);

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
        this.#witness.tell(`every service is ready after ${second + 1} s`);
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
    const id = String(this.#witness.requests.size + 1);
    const workMs = this.#random.chance(0.1)
      ? this.#random.integer(2_000, 9_000)
      : this.#random.integer(1, 400);
    const request: SimRequest = {
      id,
      service: service.name,
      sentAt: this.#clock.now(),
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
    this.#witness.requests.set(id, request);
    const ended = (): void => {
      request.endings++;
      request.endedAt = this.#clock.now();
      if (request.status !== SERVED || request.wasCut) {
        this.#witness.tell(
          `request ${id} of ${service.name} ends with ${request.status} ${request.text.trim()}`,
        );
      }
    };
    const fields = new Map([
      ["host", `${service.name}.${NAMESPACE}.localhost`],
      [ID_HEADER, id],
      [WORK_HEADER, String(workMs)],
    ]);
    const call = this.#network.call(GATEWAY, new SimHead(fields), {
      refused: () => {
        this.#witness.violate(`request ${id}: the gateway does not listen`);
        ended();
      },
      answered: (status, text) => {
        if (request.status !== 0) this.#witness.violate(`request ${id} was answered twice`);
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
  #comeAtTheWorstTime(name: string): void {
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
}

import { Activator } from "@rouse/activator";
import { Autoscaler, type Explanation } from "@rouse/autoscaler";
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
  type RevisionKey,
  revisionKey,
  type StatMessage,
  SYSTEM_NAMESPACE,
  silentLogger,
  type Upstream,
} from "@rouse/shared";
import type { VirtualClock } from "@rouse/shared/testing";
import { ApiServer } from "../../src/api-server/api-server.ts";
import { ServiceResolver } from "../../src/home/service-resolver.ts";
import { createSystemObjects, publishActivator } from "../../src/home/system-objects.ts";
import { Kubelet } from "../../src/kubelet/kubelet.ts";
import { Workloads } from "../../src/workloads/workloads.ts";
import { type ClientFaults, FaultyClient, StallingClock } from "./faults.ts";
import { manifestOf, type Scenario } from "./scenario.ts";
import type { SimMachine } from "./sim-machine.ts";
import type { SimNetwork } from "./sim-network.ts";

export const GATEWAY: Upstream = { ip: "127.0.0.1", port: 8080 };
/** What the home's kubelet waits. */
const QUIET_MS = 200;
const calmDay: ClientFaults = { writeFailures: 0, conflicts: 0, lagMs: 1, watchEnds: 0 };

export interface SimPlatformDeps {
  readonly scenario: Scenario;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly network: SimNetwork;
  readonly machine: SimMachine;
}

/** Every component of the platform, the real one, each on an API and a clock that fail it on its own. */
export class SimPlatform implements AsyncDisposable {
  readonly activatorIps = new Set<string>();
  /** On a good day nothing fails and news is a millisecond old. */
  isCalm = false;
  readonly client: KubeClient;
  readonly #deps: SimPlatformDeps;
  readonly #stalling: StallingClock[] = [];
  readonly #running = new AsyncDisposableStack();
  #autoscaler: Autoscaler | undefined;

  private constructor(deps: SimPlatformDeps, api: ApiServer) {
    this.#deps = deps;
    this.client = this.#running.use(api).client;
  }

  /** The API, and what is in it from the beginning. `start` starts those who use it. */
  static async create(deps: SimPlatformDeps): Promise<SimPlatform> {
    const { clock, random } = deps;
    const platform = new SimPlatform(deps, await ApiServer.start({ clock, random, log: silentLogger }));
    await createSystemObjects(platform.client);
    const patch = { kind: "merge", body: { data: { "scale-to-zero-grace-period": "6s" } } } as const;
    const config = { namespace: SYSTEM_NAMESPACE, name: "config-autoscaler" };
    await platform.client.patch(ConfigMapKind, config, patch);
    return platform;
  }

  /** Gateway, activators, autoscaler, controller, kubelet and workload controllers. */
  async start(): Promise<void> {
    const { network, machine, scenario } = this.#deps;
    const gateway = await Gateway.start(
      { ...this.#component({ lagMs: scenario.networkLagMs }), network },
      GATEWAY,
    );
    this.#running.use(gateway);
    const resolver = this.#running.use(new ServiceResolver(this.#component()));
    await resolver.start();
    const autoscaler = this.#running.use(
      await Autoscaler.start({
        ...this.#component(),
        scraper: machine,
        activatorProbe: {
          isInPath: async ({ serviceName, namespace }) => {
            const address = resolver.resolve(serviceName, namespace);
            return address !== undefined && this.activatorIps.has(address.ip);
          },
        },
      }),
    );
    this.#autoscaler = autoscaler;
    const all: Activator[] = [];
    for (let index = 1; index <= scenario.activators; index++) {
      const ip = `127.253.0.${index}`;
      this.activatorIps.add(ip);
      const stats = { send: (batch: readonly StatMessage[]) => autoscaler.send(batch) };
      const askPod = async (pod: Parameters<typeof endpointAddress>[0]): Promise<boolean> =>
        network.isListening(endpointAddress(pod)) &&
        (machine.processAt(endpointAddress(pod).ip)?.isUp ?? false);
      const activator = await Activator.start(
        { ...this.#component(), stats, network, askPod },
        { ip, port: 8012, podName: `activator-${index}`, podIp: ip },
      );
      all.push(this.#running.use(activator));
    }
    const [first = ""] = this.activatorIps;
    await publishActivator(this.client, { ip: first, port: 8012, h2cPort: 8013, name: "activator" });
    await this.listActivators([...this.activatorIps]);
    const kubelet = this.#running.use(
      await Kubelet.start(
        {
          ...this.#component(),
          sidecars: machine,
          machine: machine.machine,
          hooks: {
            onReady: (pod, address) => {
              const { namespace, labels: podLabels } = pod.metadata;
              const name = podLabels?.[labels.revision] ?? "";
              for (const each of all) each.podReady(revisionKey({ namespace, name }), endpoint(address));
            },
          },
        },
        { dataDirectory: "", quietMs: this.#quietMs },
      ),
    );
    this.#running.use(
      await Workloads.start({
        ...this.#component(),
        inFlight: (pod) => kubelet.inFlight(pod),
        podCreated: (pod, at) => kubelet.podCreated(pod, at),
      }),
    );
    this.#running.use(await Controller.start(this.#component(), {}));
  }

  /**
   * Creates the services and waits until they are ready; for how many seconds it did. One whose pod crashed before it was
   * scaled to zero stays failed until it is asked for (C-58), so that in the end to have been ready is enough.
   */
  async apply(secondsMax: number): Promise<number> {
    const { scenario, clock } = this.#deps;
    for (const service of scenario.services)
      await this.client.create(KnativeServiceKind, manifestOf(service));
    const haveBeenReady = new Set<string>();
    for (let second = 1; second <= secondsMax; second++) {
      await clock.advanceAsync(1_000);
      const { items } = await this.client.list(KnativeServiceKind);
      const ready = items.filter(isReady);
      if (ready.length === items.length) return second;
      for (const { metadata } of ready) haveBeenReady.add(metadata.name);
    }
    if (haveBeenReady.size === scenario.services.length) return secondsMax;
    throw new Error("the services never became ready");
  }

  /** Sets who is listed as an activator. */
  async listActivators(ips: readonly string[]): Promise<void> {
    const ref = { namespace: SYSTEM_NAMESPACE, name: "activator-service" };
    const endpoints = await this.client.get(EndpointsKind, ref);
    const subsets = (endpoints.subsets ?? []).map((subset) => ({
      ...subset,
      addresses: ips.map((ip) => ({ ip })),
    }));
    await this.client.update(EndpointsKind, { ...endpoints, subsets });
  }

  /** Why a revision has the pods it has. */
  explain(revision: RevisionKey): Explanation | undefined {
    return this.#autoscaler?.explain(revision);
  }

  /** One of the components, by chance, gets no CPU for that long. */
  stallOne(ms: number): void {
    this.#stalling[this.#deps.random.integer(0, this.#stalling.length - 1)]?.stall(ms);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#running.disposeAsync();
  }

  /**
   * A pod that goes serves for as long as the news of it travels: the home's own time where the gateway hears at once, as
   * in a cluster (30 s there) where it hears late.
   */
  get #quietMs(): number {
    const { networkLagMs, faults } = this.#deps.scenario;
    return QUIET_MS + 2 * (networkLagMs + faults.lagMs);
  }

  #component({ lagMs }: { readonly lagMs?: number } = {}) {
    const { scenario, random, clock: inner } = this.#deps;
    const clock = new StallingClock(inner);
    this.#stalling.push(clock);
    const faults = { ...scenario.faults, lagMs: lagMs ?? scenario.faults.lagMs };
    const client = new FaultyClient(this.client, { clock: inner, random }, () =>
      this.isCalm ? calmDay : faults,
    );
    return { client, clock, random, log: silentLogger };
  }
}

function isReady({ status }: KnativeService): boolean {
  return findCondition(status?.conditions, "Ready")?.status === "True";
}

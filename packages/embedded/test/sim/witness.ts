import {
  type Clock,
  type Deployment,
  DeploymentKind,
  type Endpoints,
  EndpointsKind,
  findCondition,
  type KubeClient,
  type KubeObject,
  labels,
  objectKey,
  type Pod,
  PodKind,
  portNames,
  type ServerlessService,
  ServerlessServiceKind,
  type Stored,
  type WatchSink,
} from "@rouse/shared";
import type { Scenario, SimService } from "./scenario.ts";
import type { SimMachine } from "./sim-machine.ts";
import type { SimNetwork } from "./sim-network.ts";

const NAMESPACE = "default";
const HISTORY_MAX = 4_000;
const SAMPLE_MS = 250;
/** A pod was free for this long without a break, and a request was not given to it: it is lost. */
const FREE_MS_MAX = 6_000;
/** The public endpoints may lead nowhere for no longer than news and retries take. I-2. */
const NOWHERE_MS_MAX = 5_000;
/** A request this old is in the averages of both windows, so the last pod has to stay. */
const IN_AVERAGES_MS = 4_000;
export const SERVED = 200;

/** One client's request, and what became of it. */
export interface SimRequest {
  readonly id: string;
  readonly service: string;
  readonly sentAt: number;
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

export interface WitnessDeps {
  readonly scenario: Scenario;
  readonly clock: Clock;
  readonly machine: SimMachine;
  readonly network: SimNetwork;
  /** The activators take the path of a service again. */
  readonly pathChanging: (service: string) => void;
}

/** Sees what happens in a world, and what of it must not: I-2, limits, lost requests, sleep under load. */
export class Witness implements Disposable {
  /** What happened, in order; the oldest is forgotten first. */
  readonly history: string[] = [];
  readonly violations: string[] = [];
  readonly requests = new Map<string, SimRequest>();
  /** Times a revision went to zero. */
  zeros = 0;
  readonly #deps: WitnessDeps;
  readonly #watches = new DisposableStack();
  /** Since when a pod of the service could take a request. */
  readonly #freeSince = new Map<string, number>();
  /** Spans in which one could, that are over. */
  readonly #freeSpans: { readonly service: string; readonly from: number; readonly to: number }[] = [];
  readonly #nowhereSince = new Map<string, number>();
  readonly #public = new Map<string, Stored<Endpoints>>();
  #isOver = false;

  constructor(deps: WitnessDeps) {
    this.#deps = deps;
  }

  /** Looks now and from now on. */
  begin(): void {
    this.#sample();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#watches.dispose();
  }

  /** Looks at what has to hold at any time. */
  #sample(): void {
    if (this.#isOver) return;
    const now = this.#deps.clock.now();
    for (const service of this.#deps.scenario.services) {
      const isFree = this.#hasFreePod(service);
      const since = this.#freeSince.get(service.name);
      if (isFree && since === undefined) this.#freeSince.set(service.name, now);
      if (!isFree && since !== undefined) {
        this.#freeSince.delete(service.name);
        this.#freeSpans.push({ service: service.name, from: since, to: now });
      }
    }
    this.#lookAtEndpoints(now);
    this.#deps.clock.after(SAMPLE_MS, () => this.#sample());
  }

  /**
   * Whether a request that waits in an activator could go to a pod. With several activators the pods are shared out, so
   * only when each pod could take one is it sure that one of the right share can.
   */
  #hasFreePod({ name, containerConcurrency }: SimService): boolean {
    const isFree: boolean[] = [];
    for (const [pod, process] of this.#deps.machine.processes) {
      const [namespace = "", podName = ""] = pod.split("/");
      const key = objectKey({ namespace, name: podName });
      const isServing = process.isUp || process.isHung; // one that hangs is listed like any other until it is found out
      const isOurs = podName.startsWith(`${name}-`) && isServing;
      if (!isOurs || !this.#deps.machine.sidecars.has(key) || this.#deps.machine.draining.has(key)) continue;
      const hasSlot = containerConcurrency === 0 || process.running < containerConcurrency;
      isFree.push(hasSlot && !process.isHung);
    }
    if (isFree.length === 0) return false;
    return this.#deps.scenario.activators === 1 ? isFree.includes(true) : !isFree.includes(false);
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
      const leadsSomewhere = ips.some((address) => this.#deps.network.isListening(address));
      if (leadsSomewhere) this.#nowhereSince.delete(key);
      else if (!this.#nowhereSince.has(key)) this.#nowhereSince.set(key, now);
      const since = this.#nowhereSince.get(key);
      if (since !== undefined && now - since > NOWHERE_MS_MAX) {
        this.violate(`I-2: public endpoints ${key} lead nowhere since ${since}: ${JSON.stringify(ips)}`);
        this.#nowhereSince.set(key, Number.POSITIVE_INFINITY);
      }
    }
  }

  /** Hears of changes as they are made. */
  async follow(client: KubeClient): Promise<void> {
    const watch = <T extends KubeObject>(
      told: (object: Stored<T>, isGone: boolean) => void,
    ): WatchSink<T> => ({
      event: (event) => {
        if (event.type !== "BOOKMARK") told(event.object, event.type === "DELETED");
      },
      closed: () => {
        if (!this.#isOver) this.violate("the world lost sight of itself");
      },
    });
    const from = { resourceVersion: (await client.list(DeploymentKind)).resourceVersion };
    const replicas = new Map<string, number>();
    this.#watches.use(
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
          this.tell(`${name} is scaled ${before ?? "-"} → ${wanted}`);
          if (wanted === 0 && (before ?? 0) > 0) this.#scaledToZero(deployment);
        }),
      ),
    );
    const modes = new Map<string, string>();
    this.#watches.use(
      client.watch(
        ServerlessServiceKind,
        from,
        watch<ServerlessService>(({ metadata, spec }) => {
          const mode = `${spec.mode}/${spec.numActivators ?? 0}`;
          if (modes.get(metadata.name) !== mode) this.tell(`${metadata.name} goes to ${mode}`);
          if (spec.mode === "Proxy" && modes.get(metadata.name)?.startsWith("Serve") === true) {
            this.#deps.pathChanging(metadata.labels?.[labels.service] ?? "");
          }
          modes.set(metadata.name, mode);
        }),
      ),
    );
    const pods = new Map<string, string>();
    this.#watches.use(
      client.watch(
        PodKind,
        from,
        watch<Pod>(({ metadata, status }, isGone) => {
          const ready = findCondition(status?.conditions, "Ready")?.status === "True" ? "ready" : "not ready";
          const state = isGone ? "gone" : metadata.deletionTimestamp === undefined ? ready : "ending";
          if (pods.get(metadata.name) !== state)
            this.tell(`pod ${metadata.name} ${status?.podIP ?? ""} is ${state}`);
          pods.set(metadata.name, state);
        }),
      ),
    );
    this.#watches.use(
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
          this.tell(`public endpoints of ${key}: ${ips.join(" ")}`);
        }),
      ),
    );
  }

  /** No scale to zero with traffic in flight. */
  #scaledToZero(deployment: Stored<Deployment>): void {
    this.zeros++;
    const revision = deployment.metadata.labels?.[labels.revision] ?? "";
    const service = deployment.metadata.labels?.[labels.service] ?? "";
    const now = this.#deps.clock.now();
    for (const request of this.requests.values()) {
      const isOpen =
        request.service === service &&
        request.endings === 0 &&
        !request.isHarmed &&
        this.#isTold(request) &&
        !this.#isLeft(request.takenBy);
      if (isOpen && now - request.sentAt > IN_AVERAGES_MS && this.#hasFreeOrBusyPod(service)) {
        this.violate(
          `${revision} is scaled to zero with request ${request.id} in flight since ${request.sentAt}`,
        );
      }
    }
  }

  /** Whether the autoscaler can know of it: the activator told, or its pod did, while it had the request. */
  #isTold({ takenBy, takenAt }: SimRequest): boolean {
    return takenBy === "" || (this.#deps.machine.scrapedAt.get(takenBy) ?? 0) > takenAt;
  }

  /** A pod that hangs, or that is on its way out already and keeps what it has: nobody counts it any more. */
  #isLeft(ip: string): boolean {
    for (const [pod, proxy] of this.#deps.machine.sidecars) {
      if (proxy.address.ip !== ip) continue;
      return this.#deps.machine.draining.has(pod) || this.#deps.machine.processes.get(pod)?.isHung === true;
    }
    return false;
  }

  #hasFreeOrBusyPod(service: string): boolean {
    for (const [pod, process] of this.#deps.machine.processes) {
      if (pod.startsWith(`${NAMESPACE}/${service}-`) && process.isUp) return true;
    }
    return false;
  }

  /** What has to hold of every request, and of every process. */
  judge(): void {
    this.#isOver = true;
    const now = this.#deps.clock.now();
    for (const [service, from] of this.#freeSince) this.#freeSpans.push({ service, from, to: now });
    for (const request of this.requests.values()) {
      if (request.endings !== 1) this.violate(`request ${request.id} ended ${request.endings} times`);
      if (request.hasLeft || request.isHarmed) continue;
      if (request.status === 0)
        this.violate(`request ${request.id} got no status${request.wasCut ? ": cut" : ""}`);
      if (request.status === SERVED && !request.wasCut) continue;
      const why = this.#notExcused(request);
      if (why !== undefined) {
        this.violate(
          `request ${request.id} of ${request.service}, sent at ${request.sentAt.toFixed(0)}, got ${request.status} at ${request.endedAt.toFixed(0)} (${request.text.trim()}): ${why}`,
        );
      }
    }
    for (const { name, containerConcurrency } of this.#deps.scenario.services) {
      for (const { pod, runningMax } of this.#deps.machine.all) {
        const isOver = containerConcurrency > 0 && runningMax > containerConcurrency;
        if (pod.startsWith(`${NAMESPACE}/${name}-`) && isOver) {
          this.violate(`${pod} had ${runningMax} requests at one time, its limit is ${containerConcurrency}`);
        }
      }
    }
  }

  /** Why the request should have been served, if it should. */
  #notExcused(request: SimRequest): string | undefined {
    const { service, status, sentAt, endedAt, takenAt, text } = request;
    const timeoutMs =
      1_000 * (this.#deps.scenario.services.find(({ name }) => name === service)?.timeoutSeconds ?? 0);
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

  violate(text: string): void {
    this.tell(`VIOLATION ${text}`);
    this.violations.push(text);
  }

  tell(text: string): void {
    if (this.history.length === HISTORY_MAX) this.history.shift();
    this.history.push(`${(this.#deps.clock.now() / 1_000).toFixed(3).padStart(9)}  ${text}`);
  }
}

import {
  type Clock,
  type Deployment,
  type Endpoints,
  type KubeClient,
  labels,
  type ObjectKey,
  objectKey,
  portNames,
  type Stored,
} from "@rouse/shared";
import { followApi } from "./follow-api.ts";
import { FreeSlots } from "./free-slots.ts";
import type { History } from "./history.ts";
import { type Excuse, judge } from "./judge.ts";
import type { Scenario } from "./scenario.ts";
import type { SimMachine } from "./sim-machine.ts";
import type { SimNetwork } from "./sim-network.ts";
import type { SimRequest } from "./sim-request.ts";
import { type Slack, slackOf } from "./slack.ts";
import { Spans } from "./spans.ts";

const SAMPLE_MS = 100;
/** A process that hangs is found out by three probes in a row that fail, ten seconds apart; then news travel. */
const FOUND_OUT_MS = 40_000;
/** The longest window, the grace period, and time for both to be seen. S-104, S-107. */
const REST_MS = 25_000;

export interface WitnessDeps {
  readonly scenario: Scenario;
  readonly clock: Clock;
  readonly machine: SimMachine;
  readonly network: SimNetwork;
  readonly history: History;
  /** The activators take the path of a service again. */
  readonly pathChanging: (service: string) => void;
}

/** Sees what happens in a world, and what of it must not: I-2, limits, lost requests, sleep under load. */
export class Witness implements Disposable {
  readonly requests = new Map<string, SimRequest>();
  /** Times a revision went to zero. */
  zeros = 0;
  readonly #deps: WitnessDeps;
  readonly #slack: Slack;
  readonly #slots: FreeSlots;
  readonly #watches = new DisposableStack();
  readonly #public = new Map<ObjectKey, Stored<Endpoints>>();
  readonly #pods = new Map<ObjectKey, "ready" | "not ready" | "ending">();
  /** Of each pod, the times in which it was ready. */
  readonly #ready = new Map<ObjectKey, Spans>();
  readonly #replicas = new Map<ObjectKey, number>();
  /** Of public endpoints: since when nobody listens where they lead, and nobody who answers. */
  readonly #nowhere = new Map<ObjectKey, { readonly nobody: Spans; readonly noAnswer: Spans }>();
  #isOver = false;

  constructor(deps: WitnessDeps) {
    this.#deps = deps;
    this.#slack = slackOf(deps.scenario);
    const isKept = (pod: ObjectKey): boolean => (this.#pods.get(pod) ?? "ending") !== "ending";
    this.#slots = new FreeSlots(deps.machine, deps.scenario, isKept);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#watches.dispose();
  }

  /** Hears of changes as they are made. */
  async follow(client: KubeClient): Promise<void> {
    const sight = {
      public: this.#public,
      pods: this.#pods,
      replicas: this.#replicas,
      podsChanged: () => this.loadChanged(),
      scaledToZero: (deployment: Stored<Deployment>) => this.#scaledToZero(deployment),
      pathChanging: this.#deps.pathChanging,
    };
    this.#watches.use(await followApi(client, this.#deps.history, sight));
  }

  /** Looks now and from now on at what has to hold at any time. */
  begin(): void {
    if (this.#isOver) return;
    const now = this.#deps.clock.now();
    this.#slots.look(now);
    for (const [pod, state] of this.#pods) {
      const spans = this.#ready.get(pod) ?? new Spans();
      this.#ready.set(pod, spans);
      spans.note(state === "ready", now);
    }
    for (const [key, endpoints] of this.#public) this.#lookAtEndpoints(key, endpoints, now);
    this.#deps.clock.after(SAMPLE_MS, () => this.begin());
  }

  /** A slot that is free for the time of a message only must not look as if it had been free at each look. */
  loadChanged(): void {
    if (!this.#isOver) this.#slots.look(this.#deps.clock.now());
  }

  /** I-2: activators always could answer, so the public endpoints must lead to somebody who does. */
  #lookAtEndpoints(key: ObjectKey, endpoints: Stored<Endpoints>, now: number): void {
    const { network, machine, history } = this.#deps;
    const addresses = (endpoints.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
      const port = ports.find(({ name }) => name === portNames.http)?.port ?? 0;
      return addresses.map(({ ip }) => ({ ip, port }));
    });
    const listening = addresses.filter((address) => network.isListening(address));
    const spans = this.#nowhere.get(key) ?? { nobody: new Spans(), noAnswer: new Spans() };
    this.#nowhere.set(key, spans);
    spans.nobody.note(listening.length === 0, now);
    spans.noAnswer.note(
      listening.every(({ ip }) => machine.processAt(ip)?.isHung === true),
      now,
    );
    for (const [what, since, limitMs] of [
      ["to nobody", spans.nobody.sinceMs(now), this.#slack.nowhereMs],
      ["to nobody who answers", spans.noAnswer.sinceMs(now), FOUND_OUT_MS + this.#slack.nowhereMs],
    ] as const) {
      if (since > limitMs && since <= limitMs + SAMPLE_MS) {
        history.violate(
          `I-2: public endpoints ${key} lead ${what} for ${since} ms: ${JSON.stringify(addresses)}`,
        );
      }
    }
  }

  /**
   * No scale to zero with traffic in flight: not of what an activator has, which tells at once, nor of what a pod has
   * and told when it was asked. Pods that are not ready, or on their way out, are not asked (S-45): what those have ends
   * there, and is judged by its own end.
   */
  #scaledToZero(deployment: Stored<Deployment>): void {
    this.zeros++;
    const { machine, history } = this.#deps;
    const service = deployment.metadata.labels?.[labels.service] ?? "";
    for (const { id, service: of, endings, takenAt, takenBy, heldAt, sentAt } of this.requests.values()) {
      if (of !== service || endings > 0) continue;
      const isAtPod = takenBy !== "";
      const isKnown = isAtPod
        ? (machine.scrapedAt.get(takenBy) ?? 0) > takenAt && this.#isReady(takenBy)
        : Number.isFinite(heldAt);
      if (!isKnown) continue;
      const where = isAtPod ? takenBy : "an activator";
      history.violate(
        `${objectKey(deployment.metadata)} is scaled to zero with request ${id} of ${sentAt} in flight at ${where}`,
      );
    }
  }

  #isReady(ip: string): boolean {
    const pod = this.#deps.machine.podAt(ip);
    return pod !== undefined && this.#pods.get(pod) === "ready" && !this.#deps.machine.draining.has(pod);
  }

  /** What has to hold of every request and every process when all is over. Returns how many losses had which excuse. */
  conclude(): ReadonlyMap<Excuse, number> {
    this[Symbol.dispose]();
    const { clock, machine, scenario, history } = this.#deps;
    this.#slots.look(clock.now());
    const excuses = new Map<Excuse, number>();
    for (const request of this.requests.values()) {
      const { wrong, excuse } = judge(request, { scenario, slots: this.#slots, slack: this.#slack });
      if (excuse !== undefined) excuses.set(excuse, (excuses.get(excuse) ?? 0) + 1);
      if (wrong.length > 0) history.violate(`${inWords(request)}: ${wrong.join("; ")}`);
    }
    for (const { name, containerConcurrency, annotations } of scenario.services) {
      for (const { pod, runningMax } of machine.all) {
        if (isOf(pod, name) && containerConcurrency > 0 && runningMax > containerConcurrency) {
          history.violate(
            `${pod} had ${runningMax} requests at one time, its limit is ${containerConcurrency}`,
          );
        }
      }
      this.#lookAtRest(name, Number(annotations["autoscaling.knative.dev/min-scale"]));
    }
    for (const [pod, { inFlight }] of machine.sidecars) {
      if (inFlight > 0) history.violate(`${pod} still has ${inFlight} requests`);
    }
    return excuses;
  }

  /** A minute after the last request a revision has no pods but its minimum, or none long ready: S-103 waits for it. */
  #lookAtRest(service: string, min: number): void {
    const now = this.#deps.clock.now();
    const isReady = [...this.#pods.keys()].some(
      (pod) => isOf(pod, service) && (this.#ready.get(pod)?.sinceMs(now) ?? 0) > REST_MS,
    );
    for (const [deployment, replicas] of this.#replicas) {
      if (!isOf(deployment, service) || replicas === min || (replicas > min && !isReady)) continue;
      this.#deps.history.violate(`${deployment} has ${replicas} replicas a minute after the last request`);
    }
  }
}

function isOf(key: string, service: string): boolean {
  return key.startsWith(`default/${service}-`);
}

function inWords({ id, service, sentAt, endedAt, status, text, takenBy }: SimRequest): string {
  const at = takenBy === "" ? "" : ` at ${takenBy}`;
  return `request ${id} of ${service}${at}, sent at ${sentAt.toFixed(0)}, got ${status} at ${endedAt.toFixed(0)} (${text.trim()})`;
}

import { ConcurrencyReport, PodSet, type PodTracker, RevisionThrottle } from "@rouse/activator";
import { type AutoscalerConfig, type Instant, ScaleModel } from "@rouse/autoscaler";
import { assert, type Endpoint, endpoint, type Random, revisionKey, VirtualClock } from "@rouse/shared";
import { MinHeap } from "./min-heap.ts";
import type { Trace } from "./trace.ts";

/** What there is to know about a service beside its traffic. */
export interface SimulationOptions {
  readonly annotations: Readonly<Record<string, string>>;
  /** 0 = unlimited. */
  readonly containerConcurrency: number;
  readonly config: AutoscalerConfig;
  /** From a pod's creation to its first request. */
  readonly startMs: number;
  /** Mean of the time a pod takes over a request; single ones take between half and one and a half of it. */
  readonly serviceMs: number;
}

/** Pods and requests over one step of time. */
export interface Step {
  readonly atMs: number;
  readonly arrivals: number;
  readonly readyPods: number;
  readonly startingPods: number;
  /** Requests waiting for a pod. */
  readonly waiting: number;
  readonly inFlight: number;
  readonly desiredPods: number;
  readonly mode: "Serve" | "Proxy";
}

export interface SimulationResult {
  readonly durationMs: number;
  readonly requests: number;
  /** Waiting times of all requests in milliseconds, ascending. */
  readonly waitedMs: Float64Array;
  /** Requests that came while no pod was ready. */
  readonly coldRequests: number;
  /** Times the revision left zero. */
  readonly coldStarts: number;
  readonly podsStarted: number;
  readonly podsMax: number;
  /** Time of all pods together from creation to end, in seconds. */
  readonly podSeconds: number;
  /** As `podSeconds`, of pods that had a request to work on; shares of the limit do not count. */
  readonly busyPodSeconds: number;
  /** Each as long as `durationMs` divided by their number. */
  readonly steps: readonly Step[];
}

const REPORT_MS = 1_000;
const TICK_MS = 2_000;
const STEPS_MAX = 1_440;
/** After the last request the windows empty, and what is left goes. */
const TAIL_MS_MAX = 7_200_000;

interface SimPod {
  readonly endpoint: Endpoint;
  readonly createdAtMs: number;
  state: "starting" | "ready" | "leaving";
  inFlight: number;
  busySinceMs: number;
}

interface Held {
  readonly arrivedAtMs: number;
}

type Event =
  | { readonly kind: "ready"; readonly pod: SimPod }
  | { readonly kind: "served"; readonly pod: SimPod; readonly tracker: PodTracker };

/**
 * Replays a trace against the decisions of autoscaler and activator in virtual time. Requests wait in the activator's
 * queue and get their pod by its balancing, in Serve mode as well: there a gateway would choose without knowing who is
 * busy, and some requests would wait beside a busy pod while another is free.
 */
export function simulateTrace(trace: Trace, options: SimulationOptions, random: Random): SimulationResult {
  return new Simulation(trace, options, random).run();
}

class Simulation {
  readonly #trace: Trace;
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #clock = new VirtualClock();
  readonly #revision = revisionKey({ namespace: "default", name: "simulated" });
  readonly #report = new ConcurrencyReport("activator");
  readonly #throttle: RevisionThrottle<Held>;
  readonly #model: ScaleModel;
  readonly #pods = new Map<Endpoint, SimPod>();
  readonly #events = new MinHeap<Event>();
  readonly #waitedMs: Float64Array;
  readonly #steps: Step[] = [];
  readonly #stepMs: number;
  #served = 0;
  #replicas = 0;
  #starting = 0;
  #ready = 0;
  #mode: "Serve" | "Proxy" = "Proxy";
  #coldRequests = 0;
  #coldStarts = 0;
  #podsStarted = 0;
  #podsMax = 0;
  #podMs = 0;
  #busyMs = 0;
  #arrivedInStep = 0;
  #nextStepAtMs = 0;

  constructor(trace: Trace, options: SimulationOptions, random: Random) {
    this.#trace = trace;
    this.#options = options;
    this.#random = random;
    this.#waitedMs = new Float64Array(trace.count);
    this.#stepMs = Math.max(REPORT_MS, Math.ceil(trace.durationMs / STEPS_MAX / REPORT_MS) * REPORT_MS);
    const { containerConcurrency } = options;
    const pods = new PodSet({
      containerConcurrency,
      connect: (of) => ({ ip: of, port: 0, close: () => {} }),
    });
    this.#throttle = new RevisionThrottle(pods, random);
    this.#model = new ScaleModel(options, this.#instant());
  }

  run(): SimulationResult {
    this.#scale(this.#model.initialScale);
    for (const atMs of this.#trace.arrivals(() => this.#random.next())) {
      this.#passUntil(atMs);
      this.#arrive();
    }
    const untilMs = this.#trace.durationMs + TAIL_MS_MAX;
    this.#passUntil(this.#trace.durationMs);
    while (this.#clock.now() < untilMs && (this.#pods.size > 0 || this.#throttle.held > 0)) {
      const isAsSmallAsItGets = this.#throttle.held === 0 && this.#isAtMinimum();
      if (isAsSmallAsItGets) break;
      this.#passUntil(this.#clock.now() + REPORT_MS);
    }
    for (const pod of this.#pods.values()) this.#podMs += this.#clock.now() - pod.createdAtMs;
    return {
      durationMs: this.#clock.now(),
      requests: this.#trace.count,
      waitedMs: this.#waitedMs.subarray(0, this.#served).sort(),
      coldRequests: this.#coldRequests,
      coldStarts: this.#coldStarts,
      podsStarted: this.#podsStarted,
      podsMax: this.#podsMax,
      podSeconds: this.#podMs / 1_000,
      busyPodSeconds: this.#busyMs / 1_000,
      steps: this.#steps,
    };
  }

  /** A revision that keeps pods for its minimum never ends by itself. */
  #isAtMinimum(): boolean {
    const wanted = this.#model.desiredPods ?? 0;
    return wanted === 0 && this.#replicas > 0 && this.#clock.now() > this.#trace.durationMs + TAIL_MS_MAX / 2;
  }

  /** Everything that happens before `atMs`: pods, ends of requests, reports and ticks, in order. */
  #passUntil(atMs: number): void {
    for (;;) {
      const now = this.#clock.now();
      const nextReportMs = (Math.floor(now / REPORT_MS) + 1) * REPORT_MS;
      const nextEventMs = this.#events.nextAt ?? Number.POSITIVE_INFINITY;
      const nextMs = Math.min(nextReportMs, nextEventMs);
      if (nextMs > atMs) break;
      this.#clock.advance(nextMs - now);
      if (nextEventMs <= nextReportMs) this.#happen();
      if (this.#clock.now() === nextReportMs) this.#second(nextReportMs);
    }
    this.#clock.advance(Math.max(0, atMs - this.#clock.now()));
  }

  #arrive(): void {
    const now = this.#clock.now();
    this.#arrivedInStep++;
    if (this.#ready === 0) this.#coldRequests++;
    const poke = this.#report.started(this.#revision, now);
    const held: Held = { arrivedAtMs: now };
    const tracker = this.#throttle.reserve();
    if (tracker !== undefined) this.#serve(held, tracker);
    else
      assert(this.#throttle.hold(held) !== undefined, "the activator's queue is full: 10,000 requests wait");
    if (poke === undefined) return;
    const { averageConcurrentRequests, requestCount } = poke.stat;
    this.#model.record({ concurrency: averageConcurrentRequests, rps: requestCount }, this.#instant());
    // S-40: what sleeps is woken at once.
    if (this.#model.desiredPods === 0 || this.#ready === 0) this.#tick();
  }

  #serve({ arrivedAtMs }: Held, tracker: PodTracker): void {
    const now = this.#clock.now();
    const pod = this.#pods.get(tracker.endpoint);
    assert(pod !== undefined, "a slot of a pod that is gone");
    this.#waitedMs[this.#served++] = now - arrivedAtMs;
    if (pod.inFlight++ === 0) pod.busySinceMs = now;
    const takesMs = this.#options.serviceMs * (0.5 + this.#random.next());
    this.#events.add(now + takesMs, { kind: "served", pod, tracker });
  }

  #happen(): void {
    const event = this.#events.take();
    if (event === undefined) return;
    const { pod } = event;
    if (event.kind === "served") {
      const { pods } = this.#throttle;
      this.#report.ended(this.#revision, this.#clock.now());
      pods.responded(event.tracker);
      pods.release(event.tracker);
      if (--pod.inFlight === 0) this.#busyMs += this.#clock.now() - pod.busySinceMs;
      if (pod.state === "leaving" && pod.inFlight === 0) this.#end(pod);
    } else if (pod.state === "starting") {
      pod.state = "ready";
      this.#starting--;
      this.#ready++;
      this.#publish();
      this.#apply();
    }
    this.#pump();
  }

  #pump(): void {
    for (let next = this.#throttle.next(); next !== undefined; next = this.#throttle.next()) {
      this.#serve(next.item, next.tracker);
    }
  }

  #second(atMs: number): void {
    for (const { stat } of this.#report.cut(this.#clock.now())) {
      const load = { concurrency: stat.averageConcurrentRequests, rps: stat.requestCount };
      this.#model.record(load, this.#instant());
    }
    this.#throttle.pods.relaxed();
    if (this.#throttle.held > 0) this.#pump();
    if (atMs % TICK_MS === 0) this.#tick();
    else this.#apply();
    if (atMs >= this.#nextStepAtMs) this.#step();
  }

  #tick(): void {
    this.#model.evaluate({ ready: this.#ready, replicas: this.#replicas }, this.#instant());
    this.#apply();
  }

  #apply(): void {
    const { replicas, mode } = this.#model.apply(
      { ready: this.#ready, replicas: this.#replicas },
      this.#instant(),
    );
    this.#mode = mode;
    if (replicas !== undefined && replicas !== this.#replicas) this.#scale(replicas);
  }

  #scale(replicas: number): void {
    if (this.#replicas === 0 && replicas > 0) this.#coldStarts++;
    this.#replicas = replicas;
    for (let missing = replicas - this.#starting - this.#ready; missing > 0; missing--) this.#startPod();
    const surplus = this.#starting + this.#ready - replicas;
    if (surplus > 0) this.#remove(surplus);
    this.#podsMax = Math.max(this.#podsMax, this.#starting + this.#ready);
  }

  #startPod(): void {
    const number = this.#podsStarted++;
    const ip = `127.16.${Math.floor(number / 250) % 250}.${(number % 250) + 1}`;
    const now = this.#clock.now();
    const pod: SimPod = {
      endpoint: endpoint({ ip, port: 8_000 + (Math.floor(number / 62_500) % 1_000) }),
      createdAtMs: now,
      state: "starting",
      inFlight: 0,
      busySinceMs: 0,
    };
    this.#pods.set(pod.endpoint, pod);
    this.#starting++;
    this.#events.add(now + this.#options.startMs, { kind: "ready", pod });
  }

  /** Those not yet ready go first, then the least busy. */
  #remove(count: number): void {
    const candidates = [...this.#pods.values()]
      .filter(({ state }) => state !== "leaving")
      .sort((a, b) => rank(a) - rank(b) || b.createdAtMs - a.createdAtMs);
    for (const pod of candidates.slice(0, count)) {
      if (pod.state === "starting") this.#starting--;
      else this.#ready--;
      pod.state = "leaving";
      if (pod.inFlight === 0) this.#end(pod);
    }
    this.#publish();
  }

  #end(pod: SimPod): void {
    this.#pods.delete(pod.endpoint);
    this.#podMs += this.#clock.now() - pod.createdAtMs;
  }

  #publish(): void {
    const ready = [...this.#pods.values()].filter(({ state }) => state === "ready");
    this.#throttle.pods.setUsable(ready.map((pod) => pod.endpoint));
  }

  #step(): void {
    this.#nextStepAtMs = this.#clock.now() + this.#stepMs;
    this.#steps.push({
      atMs: this.#clock.now(),
      arrivals: this.#arrivedInStep,
      readyPods: this.#ready,
      startingPods: this.#starting,
      waiting: this.#throttle.held,
      inFlight: this.#throttle.pods.inFlight,
      desiredPods: this.#model.desiredPods ?? 0,
      mode: this.#mode,
    });
    this.#arrivedInStep = 0;
  }

  #instant(): Instant {
    return { mono: this.#clock.now(), wall: this.#clock.wall() };
  }
}

function rank(pod: SimPod): number {
  return pod.state === "starting" ? -1 : pod.inFlight;
}

import { ConcurrencyReport, PodSet, type PodTracker, RevisionThrottle } from "@rouse/activator";
import { type AutoscalerConfig, type Instant, ScaleModel } from "@rouse/autoscaler";
import { assert, type Random, revisionKey, VirtualClock } from "@rouse/shared";
import { MinHeap } from "./min-heap.ts";
import { type SimPod, SimulatedPods } from "./simulated-pods.ts";
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
/** Ticks, and what the last requests take. */
const SLACK_MS = 10_000;

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
  readonly #pods = new SimulatedPods();
  readonly #events = new MinHeap<Event>();
  readonly #waitedMs: Float64Array;
  readonly #steps: Step[] = [];
  readonly #stepMs: number;
  #served = 0;
  #replicas = 0;
  #mode: "Serve" | "Proxy" = "Proxy";
  #coldRequests = 0;
  #coldStarts = 0;
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
    while (this.#clock.now() < untilMs && (this.#pods.count > 0 || this.#throttle.held > 0)) {
      const isAsSmallAsItGets = this.#throttle.held === 0 && this.#isAtMinimum();
      if (isAsSmallAsItGets) break;
      this.#passUntil(this.#clock.now() + REPORT_MS);
    }
    return {
      durationMs: this.#clock.now(),
      requests: this.#trace.count,
      waitedMs: this.#waitedMs.subarray(0, this.#served).sort(),
      coldRequests: this.#coldRequests,
      coldStarts: this.#coldStarts,
      podsStarted: this.#pods.started,
      podsMax: this.#pods.max,
      podSeconds: this.#pods.totalMs(this.#clock.now()) / 1_000,
      busyPodSeconds: this.#pods.busyMs / 1_000,
      steps: this.#steps,
    };
  }

  /** A revision that keeps pods for its minimum never ends by itself. */
  #isAtMinimum(): boolean {
    const settledAtMs = this.#trace.durationMs + this.#model.settledAfterMs + SLACK_MS;
    return this.#model.isIdle && this.#replicas > 0 && this.#clock.now() > settledAtMs;
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
    if (this.#pods.ready === 0) this.#coldRequests++;
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
    if (this.#model.desiredPods === 0 || this.#pods.ready === 0) this.#tick();
  }

  #serve({ arrivedAtMs }: Held, tracker: PodTracker): void {
    const now = this.#clock.now();
    const pod = this.#pods.get(tracker.endpoint);
    assert(pod !== undefined, "a slot of a pod that is gone");
    this.#waitedMs[this.#served++] = now - arrivedAtMs;
    this.#pods.took(pod, now);
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
      this.#pods.ended(pod, this.#clock.now());
    } else if (this.#pods.becomeReady(pod)) {
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
    this.#model.evaluate({ ready: this.#pods.ready, replicas: this.#replicas }, this.#instant());
    this.#apply();
  }

  #apply(): void {
    const { replicas, mode } = this.#model.apply(
      { ready: this.#pods.ready, replicas: this.#replicas },
      this.#instant(),
    );
    this.#mode = mode;
    if (replicas !== undefined && replicas !== this.#replicas) this.#scale(replicas);
  }

  #scale(replicas: number): void {
    if (this.#replicas === 0 && replicas > 0) this.#coldStarts++;
    this.#replicas = replicas;
    const { starting, ready } = this.#pods;
    for (let missing = replicas - starting - ready; missing > 0; missing--) this.#startPod();
    const surplus = starting + ready - replicas;
    if (surplus <= 0) return;
    this.#pods.remove(surplus, this.#clock.now());
    this.#publish();
  }

  #startPod(): void {
    const now = this.#clock.now();
    this.#events.add(now + this.#options.startMs, { kind: "ready", pod: this.#pods.start(now) });
  }

  #publish(): void {
    this.#throttle.pods.setUsable([...this.#pods.readyEndpoints()]);
  }

  #step(): void {
    this.#nextStepAtMs = this.#clock.now() + this.#stepMs;
    this.#steps.push({
      atMs: this.#clock.now(),
      arrivals: this.#arrivedInStep,
      readyPods: this.#pods.ready,
      startingPods: this.#pods.starting,
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

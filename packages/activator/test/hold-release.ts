import assert from "node:assert/strict";
import {
  type Endpoint,
  endpoint,
  endpointAddress,
  type Handler,
  headers,
  ProxyError,
  SeededRandom,
  silentLogger,
} from "@rouse/shared";
import { RecordingExchange, VirtualClock } from "@rouse/shared/testing";
import { ActivatorContext } from "../src/accept/context.ts";
import { PodSet } from "../src/balance/pod-set.ts";
import { forwardToPod } from "../src/forward/forward-to-pod.ts";
import { PodReach } from "../src/probe/pod-reach.ts";
import { newRevisionEntry, type RevisionEntry } from "../src/resolve/revision-entry.ts";
import { revisionTarget } from "../src/resolve/revision-target.ts";
import { RevisionThrottle } from "../src/throttle/revision-throttle.ts";
import { Throttle } from "../src/throttle/throttle.ts";

type Exchange = RecordingExchange<ActivatorContext>;

const PODS = 6;
const STEPS = 300;
/** The longest a pod is left out. */
const EJECTION_MS_MAX = 2_000;
const podOf = (revision: number, index: number): Endpoint =>
  endpoint({ ip: `10.0.${revision}.${index}`, port: 8012 });

/**
 * Two revisions, one activator, under one seed: requests come and leave, pods die and come back, what is known of them
 * lags, this activator's place moves, sockets run short. After every step and at the end it asserts what always holds.
 * @returns how many requests were answered by a pod
 */
export function simulateHoldAndRelease(seed: number): number {
  const random = new SeededRandom(seed);
  const clock = new VirtualClock();
  const inFlightMax = random.chance(0.3) ? random.integer(1, 6) : 1_000;
  const throttle = new Throttle({ clock, log: silentLogger, missing: () => "no pod", inFlightMax });
  const next = forwardToPod(throttle);
  const worlds = [1, 2].map((id) => new RevisionWorld(id, { clock, random, throttle, next }));
  for (let step = 0; step < STEPS; step++) {
    const world = worlds[random.integer(0, 1)];
    world?.step();
    for (const each of worlds)
      each.check(
        worlds.reduce((sum, { running }) => sum + running.length, 0),
        inFlightMax,
      );
  }
  for (const world of worlds) world.healAll();
  for (let left = 0; left < 2_000 && worlds.some((world) => world.isBusy); left++) {
    clock.advance(500);
    for (const world of worlds) world.answerAll();
  }
  clock.advance(EJECTION_MS_MAX); // whoever was left out last is in again
  for (const world of worlds) world.checkEnd();
  assert.equal(clock.pendingTimers, 0, "timers left");
  return worlds.reduce((sum, { answered }) => sum + answered, 0);
}

interface Parts {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly throttle: Throttle;
  readonly next: Handler<ActivatorContext>;
}

class RevisionWorld {
  readonly #id: number;
  readonly #parts: Parts;
  readonly #concurrency: number;
  readonly #entry: RevisionEntry;
  readonly #all: Exchange[] = [];
  /** Pods that can be reached, whatever the activator has heard. */
  readonly #alive = new Set<Endpoint>();
  /** Pods whose queue-proxy is there, and whose program is not. */
  readonly #gone = new Set<Endpoint>();
  /** When one of them last turned a request away. */
  #turnedAwayAt = Number.NEGATIVE_INFINITY;
  #isHealed = false;
  /** Attempts that may have run, of each request that may run once at most. */
  readonly #ran = new Map<Exchange, number>();

  constructor(id: number, parts: Parts) {
    this.#id = id;
    this.#parts = parts;
    const { random } = parts;
    this.#concurrency = [0, 1, 2, 5][random.integer(0, 3)] ?? 0;
    const target = revisionTarget({
      apiVersion: "serving.knative.dev/v1",
      kind: "Revision",
      metadata: { namespace: "default", name: `r${id}` },
      spec: { containers: [], containerConcurrency: this.#concurrency, timeoutSeconds: 300 },
    });
    const pods = new PodSet({
      containerConcurrency: this.#concurrency,
      loadBalancing: random.chance(0.5) ? "contract" : "least-loaded",
      connect: (at) => ({ ...endpointAddress(at), close: () => {} }),
    });
    this.#entry = newRevisionEntry({
      target,
      uid: `${id}`,
      throttle: new RevisionThrottle(pods, random),
      reach: new PodReach("none"),
    });
  }

  get running(): readonly Exchange[] {
    return this.#all.filter(({ state }) => state === "forwarding" || state === "responding");
  }

  get isBusy(): boolean {
    return this.#all.some(({ outcome }) => outcome === undefined);
  }

  get answered(): number {
    return this.#all.filter(({ status }) => status === 200).length;
  }

  step(): void {
    const { random, clock, throttle } = this.#parts;
    const { pods } = this.#entry.throttle;
    const dice = random.next();
    const running = this.running;
    const some = running[random.integer(0, Math.max(0, running.length - 1))];
    if (dice < 0.4) this.#arrive();
    else if (dice < 0.6) this.#answer(some);
    else if (dice < 0.66) this.#breaks(some);
    else if (dice < 0.72) this.#held[0]?.clientLeaves();
    else if (dice < 0.78) some?.clientLeaves();
    else if (dice < 0.84) this.#swing();
    else if (dice < 0.9) {
      pods.setUsable(this.#seen); // the watch catches up, now or never
      throttle.pump(this.#entry);
    } else if (dice < 0.93) {
      const of = random.integer(1, 4);
      pods.setPlace(
        random.chance(0.2) ? { kind: "unknown" } : { kind: "known", index: random.integer(0, of - 1), of },
      );
      throttle.pump(this.#entry);
    } else clock.advance(random.integer(0, 200));
    if (random.chance(0.02)) pods.relaxed();
  }

  check(runningInAll: number, inFlightMax: number): void {
    const { throttle, retrying } = this.#entry;
    const loads = new Map<Endpoint, number>();
    for (const { context } of this.running) {
      const at = context.tracker?.endpoint;
      assert.ok(at !== undefined, "runs without a slot");
      loads.set(at, (loads.get(at) ?? 0) + 1);
    }
    if (this.#concurrency > 0) {
      for (const load of loads.values()) assert.ok(load <= this.#concurrency, "above its concurrency");
    }
    assert.equal(throttle.held + retrying.size, this.#held.length, "somebody is forgotten");
    assert.equal(throttle.pods.inFlight, this.running.length, "slots are not those of who runs");
    assert.ok(runningInAll <= inFlightMax, "more sockets than there are");
    if (throttle.held > 0 && runningInAll < inFlightMax) {
      assert.equal(throttle.next(), undefined, "a free slot beside a waiter");
    }
    const isKnownGone = this.#parts.clock.now() - this.#turnedAwayAt <= EJECTION_MS_MAX;
    if (throttle.pods.loads.length > 0 && !isKnownGone)
      assert.ok(throttle.pods.capacity > 0, "every pod is left out");
    for (const times of this.#ran.values()) assert.ok(times <= 1, "a POST ran twice");
  }

  /** Every pod is up, and everybody knows. */
  healAll(): void {
    for (let index = 0; index < PODS; index++) this.#alive.add(podOf(this.#id, index));
    this.#gone.clear();
    this.#isHealed = true;
    this.#entry.throttle.pods.setPlace({ kind: "unknown" });
    this.#entry.throttle.pods.setUsable(this.#alive);
    this.#parts.throttle.pump(this.#entry);
  }

  answerAll(): void {
    for (const exchange of this.running) this.#answer(exchange);
  }

  checkEnd(): void {
    const { throttle, retrying, heldBytes } = this.#entry;
    assert.equal(this.#all.filter(({ outcome }) => outcome === undefined).length, 0, "not all have ended");
    assert.deepEqual([throttle.held, retrying.size, throttle.pods.inFlight, heldBytes], [0, 0, 0, 0]);
    const whole = this.#concurrency === 0 ? Number.POSITIVE_INFINITY : PODS * this.#concurrency;
    assert.equal(throttle.pods.capacity, whole, "capacity is stuck");
  }

  get #held(): readonly Exchange[] {
    return this.#all.filter(({ state }) => state === "received");
  }

  /** What a watch says that is right about each pod as often as not wrong. */
  get #seen(): readonly Endpoint[] {
    const { random } = this.#parts;
    const pods = Array.from({ length: PODS }, (_, index) => podOf(this.#id, index));
    return pods.filter((pod) => (random.chance(0.8) ? this.#alive.has(pod) : random.chance(0.5)));
  }

  #arrive(): void {
    const { clock, random, throttle, next } = this.#parts;
    const context = new ActivatorContext();
    context.revision = this.#entry;
    const method = random.chance(0.5) ? "GET" : "POST";
    const exchange = new RecordingExchange(context, { method, receivedAt: clock.now() });
    this.#all.push(exchange);
    throttle.handle(exchange, next);
  }

  /** Its pod answers, if it can be reached at all. */
  #answer(exchange: Exchange | undefined): void {
    const at = exchange?.context.tracker?.endpoint;
    if (exchange === undefined || at === undefined) return;
    const { random, clock } = this.#parts;
    if (exchange.state === "responding") exchange.upstreamCompletes();
    else if (!this.#alive.has(at)) exchange.upstreamFails({ isRetriable: true });
    else if (this.#gone.has(at)) {
      this.#turnedAwayAt = clock.now();
      turnAway(exchange, 502);
    } else if (!this.#isHealed && random.chance(0.05)) turnAway(exchange, 503);
    else if (random.chance(0.3)) exchange.upstreamStarts();
    else exchange.upstreamCompletes();
  }

  /** Its pod dies under it: nobody can say whether it ran. */
  #breaks(exchange: Exchange | undefined): void {
    const at = exchange?.context.tracker?.endpoint;
    if (exchange === undefined || at === undefined || exchange.state !== "forwarding") return;
    if (exchange.request.method === "POST") this.#ran.set(exchange, (this.#ran.get(exchange) ?? 0) + 1);
    this.#alive.delete(at);
    exchange.upstreamFails({ isRetriable: false, error: new ProxyError("upstream-reset", "reset") });
  }

  #swing(): void {
    const pod = podOf(this.#id, this.#parts.random.integer(0, PODS - 1));
    if (this.#parts.random.chance(0.3)) {
      if (!this.#gone.delete(pod)) this.#gone.add(pod);
      return;
    }
    if (this.#alive.has(pod)) this.#alive.delete(pod);
    else {
      this.#alive.add(pod);
      this.#entry.throttle.pods.vouch(pod);
      this.#parts.throttle.pump(this.#entry);
    }
  }
}

/** Its queue-proxy says that the program was not given it; which goes through once it has been tried often enough. */
function turnAway(exchange: Exchange, status: 502 | 503): void {
  exchange.upstreamStarts(status, { [headers.notStarted]: "true" });
  const { state } = exchange;
  if (state === "responding") exchange.upstreamCompletes();
}

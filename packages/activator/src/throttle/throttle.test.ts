import {
  type Endpoint,
  endpoint,
  endpointAddress,
  ProxyError,
  SeededRandom,
  silentLogger,
} from "@rouse/shared";
import { RecordingExchange, VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { ActivatorContext } from "../accept/context.ts";
import { PodSet } from "../balance/pod-set.ts";
import { forwardToPod } from "../forward/forward-to-pod.ts";
import { PodReach } from "../probe/pod-reach.ts";
import { newRevisionEntry } from "../resolve/revision-entry.ts";
import { revisionTarget } from "../resolve/revision-target.ts";
import type { HeldBytesLimits } from "./held-bytes.ts";
import { RevisionThrottle } from "./revision-throttle.ts";
import { Throttle } from "./throttle.ts";
import { cannotStart } from "./wait-errors.ts";

const pod = (index: number): Endpoint => endpoint({ ip: `10.0.0.${index}`, port: 8012 });

interface SetUp {
  readonly containerConcurrency?: number;
  readonly timeoutSeconds?: number;
  readonly heldMax?: number;
  readonly seed?: number;
  readonly heldBytesLimits?: HeldBytesLimits;
}

function setUp({ containerConcurrency = 1, timeoutSeconds = 300, heldMax, seed = 1, ...limits }: SetUp = {}) {
  const clock = new VirtualClock();
  const random = new SeededRandom(seed);
  const pods = new PodSet({
    containerConcurrency,
    connect: (at) => ({ ...endpointAddress(at), close: () => {} }),
  });
  const target = revisionTarget({
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: { namespace: "default", name: "hello-1" },
    spec: { containers: [], containerConcurrency, timeoutSeconds },
  });
  const entry = newRevisionEntry({
    target,
    uid: "1",
    throttle: new RevisionThrottle(pods, random, heldMax),
    reach: new PodReach("none"),
  });
  const throttle = new Throttle({ clock, log: silentLogger, missing: () => "no pod was created", ...limits });
  const next = forwardToPod(throttle);
  const enter = (target: string, method = "GET") => {
    const context = new ActivatorContext();
    context.revision = entry;
    const exchange = new RecordingExchange(context, { target, method, receivedAt: clock.now() });
    throttle.handle(exchange, next);
    return exchange;
  };
  const setPods = (...indexes: number[]) => {
    pods.setUsable(indexes.map(pod));
    throttle.pump(entry);
  };
  return { clock, random, pods, entry, throttle, enter, setPods };
}

const ipsOf = (exchange: RecordingExchange<ActivatorContext>) =>
  exchange.forwards.map(({ upstream }) => upstream.ip);

describe("holding", () => {
  test("without a pod requests wait, and go out in order once there is one", () => {
    const { enter, setPods, entry } = setUp();
    const [first, second, third] = [enter("/1"), enter("/2"), enter("/3")];
    expect(entry.throttle.held).toBe(3);
    setPods(1);
    expect([first, second, third].map((exchange) => exchange.forwards.length)).toEqual([1, 0, 0]);
    first.upstreamCompletes();
    expect([second, third].map((exchange) => exchange.forwards.length)).toEqual([1, 0]);
    second.upstreamCompletes();
    third.upstreamCompletes();
    expect([entry.throttle.held, entry.throttle.pods.inFlight]).toEqual([0, 0]);
  });

  test("A-67: a newcomer does not overtake those who wait", () => {
    const { enter, setPods } = setUp();
    const first = enter("/1");
    setPods(1);
    const second = enter("/2");
    first.upstreamCompletes();
    const third = enter("/3");
    expect([second, third].map((exchange) => exchange.forwards.length)).toEqual([1, 0]);
  });

  test("A-70: a client that leaves while it waits is forgotten, and never sent anywhere", () => {
    const { enter, setPods, entry } = setUp();
    const [first, second] = [enter("/1"), enter("/2")];
    first.clientLeaves();
    expect(entry.throttle.held).toBe(1);
    setPods(1);
    expect([first, second].map((exchange) => exchange.forwards.length)).toEqual([0, 1]);
  });

  test("A-68: a full queue says so, and when to come again", () => {
    const { enter } = setUp({ heldMax: 2 });
    enter("/1");
    enter("/2");
    const third = enter("/3");
    expect(third.failure).toMatchObject({ code: "queue-full", retryAfterMs: 1_000 });
    expect(third.answer).toEqual({ status: 503, body: "pending request queue full" });
  });

  test("what waits may take so much memory and no more, per revision and in all", () => {
    const { enter, entry, setPods } = setUp({ heldBytesLimits: { perRevision: 100, perProcess: 150 } });
    const small = enter("/1");
    const { heldBytes } = entry;
    const large = enter(`/${"x".repeat(100)}`);
    expect([heldBytes > 0, heldBytes < 100, large.answer?.status]).toEqual([true, true, 503]);
    expect(entry.heldBytes).toBe(heldBytes);
    setPods(1);
    expect([entry.heldBytes, small.forwards.length]).toEqual([0, 1]);
    const second = enter("/2");
    second.clientLeaves();
    expect(entry.heldBytes).toBe(0);
  });

  test("A-74: when the last pod goes, those who run finish and new ones wait", () => {
    const { enter, setPods, entry } = setUp();
    setPods(1);
    const first = enter("/1");
    setPods();
    const second = enter("/2");
    first.upstreamCompletes();
    expect([first.outcome?.kind, second.forwards.length, entry.throttle.held]).toEqual(["completed", 0, 1]);
  });

  test("containerConcurrency 0: a first pod gets a hundred, more with every answer begun", () => {
    const { enter, setPods } = setUp({ containerConcurrency: 0 });
    const all = Array.from({ length: 300 }, (_, index) => enter(`/${index}`));
    setPods(1);
    const running = () => all.filter((exchange) => exchange.state === "forwarding");
    expect(running().length).toBe(100);
    for (const exchange of running()) exchange.upstreamCompletes();
    expect(running().length).toBe(200);
    for (const exchange of running()) exchange.upstreamCompletes();
    expect(all.every((exchange) => exchange.outcome?.kind === "completed")).toBe(true);
  });
});

describe("waiting too long", () => {
  test("ends with 504 and what was missing, each at its own time", () => {
    const { clock, enter } = setUp({ timeoutSeconds: 5 });
    const first = enter("/1");
    clock.advance(2_000);
    const second = enter("/2");
    clock.advance(2_999);
    expect(first.answer).toBeUndefined();
    clock.advance(1);
    expect(first.answer).toEqual({
      status: 504,
      body: 'activator request timeout: waited 5s for a pod of revision "default/hello-1": no pod was created',
    });
    expect(second.answer).toBeUndefined();
    clock.advance(2_000);
    expect(second.answer?.status).toBe(504);
    expect(clock.pendingTimers).toBe(0);
  });

  test("leaves no timer behind when everyone got a pod", () => {
    const { clock, enter, setPods } = setUp();
    enter("/1");
    expect(clock.pendingTimers).toBe(1);
    setPods(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a pod that cannot be reached", () => {
  test("another one is tried", () => {
    const { enter, setPods } = setUp();
    setPods(1, 2);
    const first = enter("/1");
    first.upstreamFails({ isRetriable: true });
    expect(ipsOf(first)).toEqual(["10.0.0.1", "10.0.0.2"]);
    first.upstreamCompletes();
    expect(first.outcome?.kind).toBe("completed");
  });

  test("the only one is never left out: who failed waits, others try it", () => {
    const { clock, enter, setPods, entry } = setUp();
    setPods(1);
    const first = enter("/1");
    clock.advance(1);
    const [second, third] = [enter("/2"), enter("/3")];
    first.upstreamFails({ isRetriable: true });
    expect([entry.retrying.size, entry.throttle.held, second.forwards.length]).toEqual([1, 1, 1]);
    clock.advance(50);
    expect([entry.retrying.size, entry.throttle.held]).toEqual([0, 2]);
    second.upstreamCompletes();
    expect([first.forwards.length, third.forwards.length]).toEqual([2, 0]); // in its old place
    first.upstreamCompletes();
    third.upstreamCompletes();
    expect([third.outcome?.kind, clock.pendingTimers]).toEqual(["completed", 0]);
  });

  test("of two one is left out, and back after a while", () => {
    const { clock, enter, setPods, pods } = setUp();
    setPods(1, 2);
    const first = enter("/1");
    first.upstreamFails({ isRetriable: true });
    expect([ipsOf(first), pods.capacity]).toEqual([["10.0.0.1", "10.0.0.2"], 1]);
    clock.advance(50);
    expect(pods.capacity).toBe(2);
    first.upstreamCompletes();
  });

  test("a client that leaves between two tries, and a revision that goes, leave nothing behind", () => {
    const { clock, enter, setPods, entry, throttle } = setUp({ containerConcurrency: 2 });
    setPods(1);
    const [first, second] = [enter("/1"), enter("/2")];
    first.upstreamFails({ isRetriable: true });
    second.upstreamFails({ isRetriable: true });
    first.clientLeaves();
    throttle.failHeld(entry, new ProxyError("unknown-revision", "gone"));
    expect([entry.retrying.size, second.answer?.status, clock.pendingTimers]).toEqual([0, 404, 0]);
  });

  test("tries end, with the error of the last", () => {
    const { clock, enter, setPods } = setUp();
    setPods(1);
    const first = enter("/1");
    for (let tries = 1; tries <= 20; tries++) {
      expect(first.forwards.length).toBe(tries);
      first.upstreamFails({ isRetriable: true });
      clock.advance(2_000);
    }
    expect(first.answer).toEqual({ status: 502, body: "connect: connection refused" });
  });

  test("A-104: a POST that may have been read is not sent again; a GET is", () => {
    const { enter, setPods, entry } = setUp();
    setPods(1, 2);
    const [post, get] = [enter("/1", "POST"), enter("/2")];
    post.upstreamFails({ isRetriable: false });
    get.upstreamFails({ isRetriable: false });
    expect([post.forwards.length, post.answer?.status, get.forwards.length]).toEqual([1, 502, 2]);
    get.upstreamCompletes();
    expect(entry.throttle.pods.inFlight).toBe(0);
  });
});

describe("a revision that cannot start", () => {
  test("everyone who waits is told why at once; whoever comes later too", () => {
    const { enter, entry, throttle } = setUp();
    const first = enter("/1");
    entry.failure = { reason: "CreateContainerError", message: "no such command: nope" };
    throttle.failHeld(entry, cannotStart(entry.target, entry.failure));
    const second = enter("/2");
    const answer = {
      status: 503,
      body: 'revision "default/hello-1" cannot start: CreateContainerError: no such command: nope',
    };
    expect([first.answer, second.answer]).toEqual([answer, answer]);
    expect(entry.throttle.held).toBe(0);
  });

  test("a pod that can serve is used all the same", () => {
    const { enter, entry, setPods } = setUp();
    entry.failure = { reason: "CreateContainerError", message: "" };
    setPods(1);
    expect(enter("/1").forwards.length).toBe(1);
  });
});

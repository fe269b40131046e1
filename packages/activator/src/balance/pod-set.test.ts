import { type Endpoint, endpoint, endpointAddress, SeededRandom } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { PodSet } from "./pod-set.ts";

const random = new SeededRandom(3);
const pod = (index: number): Endpoint => endpoint({ ip: `10.0.0.${index}`, port: 8012 });

function setUp(containerConcurrency: number) {
  const open = new Set<Endpoint>();
  const pods = new PodSet({
    containerConcurrency,
    connect: (at) => {
      open.add(at);
      return { ...endpointAddress(at), close: () => open.delete(at) };
    },
  });
  return { open, pods };
}

describe("A-72: capacity", () => {
  test.each([
    { concurrency: 10, count: 1, place: [0, 1], want: 10 },
    { concurrency: 10, count: 3, place: [0, 2], want: 20 },
    { concurrency: 10, count: 3, place: [1, 2], want: 10 },
    { concurrency: 1, count: 5, place: [0, 2], want: 3 },
    { concurrency: 42, count: 6, place: [0, 4], want: 84 },
    { concurrency: 0, count: 1, place: [0, 4], want: Number.POSITIVE_INFINITY },
    { concurrency: 0, count: 0, place: [0, 4], want: 0 },
    { concurrency: 5, count: 0, place: [0, 1], want: 0 },
  ])("concurrency $concurrency, $count pods, place $place: $want", ({ concurrency, count, place, want }) => {
    const { pods } = setUp(concurrency);
    pods.setUsable(Array.from({ length: count }, (_, index) => pod(index + 1)));
    const [index = 0, of = 1] = place;
    pods.setPlace({ kind: "known", index, of });
    expect(pods.capacity).toBe(want);
  });
});

test("A-77: endpoints are sorted by the bytes of ip:port", () => {
  const { pods } = setUp(1);
  pods.setUsable([pod(9), pod(10)]);
  pods.setPlace({ kind: "known", index: 0, of: 2 });
  expect(pods.reserve(random)?.endpoint).toBe(pod(10));
  expect(pods.reserve(random)).toBeUndefined();
});

test("A-63: a pod that leaves keeps its connections until its last request is over", () => {
  const { open, pods } = setUp(1);
  pods.setUsable([pod(1)]);
  const tracker = pods.reserve(random);
  pods.setUsable([]);
  expect([...open]).toEqual([pod(1)]);
  expect([pods.inFlight, pods.capacity, pods.reserve(random)]).toEqual([1, 0, undefined]);
  if (tracker !== undefined) pods.release(tracker);
  expect([...open]).toEqual([]);
});

test("A-64: a pod that comes back with requests on it is not given more than it can take", () => {
  const { open, pods } = setUp(1);
  pods.setUsable([pod(1)]);
  const tracker = pods.reserve(random);
  pods.setUsable([]);
  pods.setUsable([pod(1)]);
  expect(pods.reserve(random)).toBeUndefined();
  if (tracker !== undefined) pods.release(tracker);
  expect(pods.reserve(random)?.endpoint).toBe(pod(1));
  expect([...open]).toEqual([pod(1)]);
});

describe("ejection", () => {
  const reserved = (pods: PodSet) => {
    const tracker = pods.reserve(random);
    if (tracker === undefined) throw new Error("no slot");
    return tracker;
  };

  test("an ejected pod is left out until it is readmitted; many failures at one time count once", () => {
    const { pods } = setUp(2);
    pods.setUsable([pod(1), pod(2)]);
    const tracker = reserved(pods);
    expect(pods.eject(tracker)).toEqual({ kind: "ejected", forMs: 50, ejection: 1 });
    expect(pods.eject(tracker)).toEqual({ kind: "out" });
    expect([pods.capacity, pods.reserve(random)?.endpoint]).toEqual([2, pod(2)]);
    pods.readmit(tracker, 1);
    expect(pods.capacity).toBe(4);
    expect(pods.eject(tracker)).toEqual({ kind: "ejected", forMs: 100, ejection: 2 });
    pods.readmit(tracker, 1); // the timer of the first ejection, late
    expect(pods.capacity).toBe(2);
  });

  test("an answer, or somebody who knows, forgets it", () => {
    const { pods } = setUp(2);
    pods.setUsable([pod(1), pod(2)]);
    const tracker = reserved(pods);
    pods.eject(tracker);
    pods.vouch(pod(1));
    expect(pods.capacity).toBe(4);
    expect(pods.eject(tracker)).toMatchObject({ kind: "ejected", forMs: 50 });
  });

  test.each([
    { count: 1, out: 0 },
    { count: 2, out: 1 },
    { count: 3, out: 1 },
    { count: 10, out: 5 },
  ])("of $count at most $out, so never the last and never more than half", ({ count, out }) => {
    const { pods } = setUp(1);
    pods.setUsable(Array.from({ length: count }, (_, index) => pod(index)));
    const kinds = Array.from({ length: count }, () => reserved(pods)).map((each) => pods.eject(each).kind);
    expect(kinds.filter((kind) => kind === "ejected").length).toBe(out);
    expect([kinds.filter((kind) => kind === "kept").length, pods.capacity]).toEqual([
      count - out,
      count - out,
    ]);
  });

  test("the floor holds for those that are left when others go", () => {
    const { pods } = setUp(1);
    pods.setUsable([pod(1), pod(2), pod(3), pod(4)]);
    const [first, second] = [reserved(pods), reserved(pods)];
    for (const each of [first, second]) {
      pods.eject(each);
      pods.release(each);
    }
    pods.setUsable([first.endpoint, second.endpoint]);
    expect(pods.capacity).toBe(1);
    pods.setUsable([first.endpoint]);
    expect(pods.capacity).toBe(1);
  });
});

test.each([0, 1, 3])(
  "capacity comes back whole after a hundred swings of ready and not ready, concurrency %i",
  (concurrency) => {
    const { pods } = setUp(concurrency);
    const all = [1, 2, 3, 4, 5].map(pod);
    const running = new Set<NonNullable<ReturnType<PodSet["reserve"]>>>();
    for (let swing = 0; swing < 100; swing++) {
      pods.setUsable(all.filter(() => random.chance(0.5)));
      const tracker = pods.reserve(random);
      if (tracker !== undefined && !running.has(tracker)) running.add(tracker);
      else if (tracker !== undefined) pods.release(tracker);
      if (tracker !== undefined && random.chance(0.3)) pods.eject(tracker);
      for (const each of running) {
        if (!random.chance(0.3)) continue;
        running.delete(each);
        pods.release(each);
      }
    }
    for (const each of running) pods.release(each);
    pods.setUsable(all);
    for (const endpoint of all) pods.vouch(endpoint);
    expect([pods.inFlight, pods.capacity]).toEqual([
      0,
      concurrency === 0 ? Number.POSITIVE_INFINITY : concurrency * 5,
    ]);
    for (let slot = 0; slot < concurrency * 5; slot++) expect(pods.reserve(random)).toBeDefined();
  },
);

describe("A-59, A-72: an address that leads to all pods", () => {
  const service = endpoint({ ip: "10.96.0.1", port: 80 });

  test.each([
    { concurrency: 10, ready: 10, of: 1, want: 100 },
    { concurrency: 10, ready: 10, of: 5, want: 20 },
    { concurrency: 10, ready: 10, of: 200, want: 1 },
    { concurrency: 10, ready: 0, of: 200, want: 0 },
    { concurrency: 0, ready: 1, of: 3, want: Number.POSITIVE_INFINITY },
    { concurrency: 0, ready: 0, of: 3, want: 0 },
  ])("concurrency $concurrency, $ready ready, $of activators: $want", ({ concurrency, ready, of, want }) => {
    const { pods } = setUp(concurrency);
    pods.setPlace({ kind: "known", index: of - 1, of });
    pods.setService(service, ready);
    expect(pods.capacity).toBe(want);
    if (want > 0 && Number.isFinite(want)) {
      for (let slot = 0; slot < want; slot++) expect(pods.reserve(random)?.endpoint).toBe(service);
      expect(pods.reserve(random)).toBeUndefined();
    }
  });

  test("more pods behind it make more slots, and pods of one's own take its place", () => {
    const { pods, open } = setUp(1);
    pods.setService(service, 1);
    expect([pods.reserve(random)?.endpoint, pods.reserve(random)]).toEqual([service, undefined]);
    pods.setService(service, 2);
    const tracker = pods.reserve(random);
    expect(tracker?.endpoint).toBe(service);
    pods.setUsable([pod(1), pod(2)]);
    expect([pods.capacity, open.size]).toEqual([2, 3]);
  });
});

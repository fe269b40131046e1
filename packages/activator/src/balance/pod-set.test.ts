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
  test("an ejected pod is left out until it is readmitted; many failures at one time count once", () => {
    const { pods } = setUp(2);
    pods.setUsable([pod(1)]);
    const tracker = pods.reserve(random);
    if (tracker === undefined) throw new Error("no slot");
    expect([pods.eject(tracker), pods.eject(tracker)]).toEqual([50, undefined]);
    expect([pods.capacity, pods.reserve(random)]).toEqual([0, undefined]);
    pods.readmit(tracker);
    expect(pods.reserve(random)).toBe(tracker);
    expect(pods.eject(tracker)).toBe(100);
  });

  test("an answer, or somebody who knows, forgets it", () => {
    const { pods } = setUp(2);
    pods.setUsable([pod(1)]);
    const tracker = pods.reserve(random);
    if (tracker === undefined) throw new Error("no slot");
    pods.eject(tracker);
    pods.vouch(pod(1));
    expect(pods.capacity).toBe(2);
    expect(pods.eject(tracker)).toBe(50);
  });
});

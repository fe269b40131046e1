import { type Endpoint, endpoint, endpointAddress, type MonoMs, SeededRandom } from "@rouse/shared";
import { expect, test } from "vitest";
import { Backend } from "./backend.ts";
import { EndpointPools } from "./endpoint-pools.ts";

const a = endpoint({ ip: "10.0.0.1", port: 8012 });
const b = endpoint({ ip: "10.0.0.2", port: 8012 });
const random = new SeededRandom(5);
const at = (ms: number): MonoMs => ms as MonoMs;

function setUp() {
  const open: Endpoint[] = [];
  const pools = new EndpointPools((of) => {
    open.push(of);
    return { ...endpointAddress(of), close: () => open.splice(open.indexOf(of), 1) };
  });
  const backend = (name: string) => new Backend({ namespace: "default", name, port: 80 }, pools);
  return { open, pools, backend };
}

test("two Services behind one endpoint share its connections", () => {
  const { open, backend } = setUp();
  const [one, two] = [backend("one"), backend("two")];
  one.setEndpoints(new Set([a]));
  two.setEndpoints(new Set([a]));
  expect(open).toEqual([a]);
  one.setEndpoints(new Set([b]));
  expect(open).toEqual([a, b]);
  two.setEndpoints(new Set());
  expect(open).toEqual([b]);
});

test("an endpoint that stays keeps its connections", () => {
  const { open, backend } = setUp();
  const one = backend("one");
  one.setEndpoints(new Set([a]));
  const before = one.pick(random, { now: at(0), tried: [] });
  one.setEndpoints(new Set([a, b]));
  expect(one.pick(random, { now: at(0), tried: [b] })).toBe(before);
  expect(open).toEqual([a, b]);
});

test("one that leaves closes when its last request is over", () => {
  const { open, pools, backend } = setUp();
  const one = backend("one");
  one.setEndpoints(new Set([a]));
  const pooled = one.pick(random, { now: at(0), tried: [] });
  if (pooled === undefined) throw new Error("no endpoint");
  pools.enter(pooled);
  one.setEndpoints(new Set());
  expect(open).toEqual([a]);
  pools.leave(pooled);
  expect([open, pools.size]).toEqual([[], 0]);
});

test("one that could not be reached is left out for a while, unless it is all there is", () => {
  const { backend } = setUp();
  const one = backend("one");
  one.setEndpoints(new Set([a, b]));
  const failed = one.pick(random, { now: at(0), tried: [b] });
  failed?.unreachable(at(0));
  for (let i = 0; i < 20; i++) expect(one.pick(random, { now: at(49), tried: [] })?.endpoint).toBe(b);
  expect(one.pick(random, { now: at(10), tried: [b] })?.endpoint).toBe(a);
  expect(one.pick(random, { now: at(10), tried: [a, b] })).toBeUndefined();
  expect(failed?.isEjected(at(50))).toBe(false);
});

import { consistentSubset, type EndpointSubset, type ServerlessService } from "@rouse/shared";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readyCount, type SksMode } from "./effective-mode.ts";
import { isSameSubsets, publicSubsets, someActivators } from "./public-subsets.ts";

const http = [{ name: "http", port: 8012 }];
const endpoints = (subsets: readonly EndpointSubset[]) => ({ metadata: { name: "source" }, subsets });
const grid = (subsets: number, addresses: number): readonly EndpointSubset[] =>
  Array.from({ length: subsets }, (_, net) => ({
    addresses: Array.from({ length: addresses }, (_, host) => ({ ip: `10.1.${net + 1}.${host + 1}` })),
    ports: http,
  }));
const sksOf = (
  mode: SksMode,
  numActivators = 0,
  name = "hello-00001",
): Pick<ServerlessService, "metadata" | "spec"> => ({
  metadata: { name },
  spec: {
    mode,
    numActivators,
    protocolType: "http1",
    objectRef: { apiVersion: "apps/v1", kind: "Deployment", name: `${name}-deployment` },
  },
});
const ipsOf = (subsets: readonly EndpointSubset[]): string[] =>
  subsets.flatMap((subset) => (subset.addresses ?? []).map(({ ip }) => ip));

describe("W-12, K-35: how many activators a revision gets", () => {
  test.each([
    { subsets: 1, addresses: 1, count: 1 },
    { subsets: 1, addresses: 2, count: 2 },
    { subsets: 2, addresses: 1, count: 3 },
    { subsets: 20, addresses: 10, count: 212 },
    { subsets: 20, addresses: 10, count: 0 },
  ])("$count of $subsets × $addresses: all of them, unchanged", ({ subsets, addresses, count }) => {
    const all = grid(subsets, addresses);
    expect(someActivators(all, count, "hello-00001")).toBe(all);
  });

  test.each([
    { subsets: 1, addresses: 2, count: 1 },
    { subsets: 2, addresses: 1, count: 1 },
    { subsets: 5, addresses: 5, count: 1 },
    { subsets: 5, addresses: 5, count: 12 },
    { subsets: 5, addresses: 5, count: 24 },
  ])(
    "$count of $subsets × $addresses: exactly that many, no empty subset",
    ({ subsets, addresses, count }) => {
      const some = someActivators(grid(subsets, addresses), count, "hello-00001");
      expect(ipsOf(some)).toHaveLength(count);
      for (const subset of some) expect(subset.addresses?.length).toBeGreaterThan(0);
    },
  );
});

test("K-34: records are copied whole, in their order, with the not-ready ones of the subsets that stay", () => {
  const targetRef = { kind: "Pod", namespace: "default", name: "hello-1", uid: "u-1" };
  const pods = endpoints([
    {
      addresses: [{ ip: "10.2.0.1", nodeName: "one", targetRef }],
      notReadyAddresses: [{ ip: "10.2.0.2" }],
      ports: [...http, { name: "http-autometric", port: 9090 }],
    },
  ]);
  const activators = endpoints(grid(1, 1));
  expect(publicSubsets(sksOf("Serve"), { activators, pods })).toEqual([{ ...pods.subsets[0], ports: http }]);
});

test("K-38: order does not matter, content does", () => {
  const a = grid(2, 2);
  expect(isSameSubsets(a, [...a].reverse())).toBe(true);
  expect(isSameSubsets(a, grid(2, 3))).toBe(false);
  expect(
    isSameSubsets([{ addresses: [{ ip: "10.0.0.1" }] }], [{ notReadyAddresses: [{ ip: "10.0.0.1" }] }]),
  ).toBe(false);
  expect(isSameSubsets([{ ...a[0] }], [{ ...a[0], notReadyAddresses: [] }])).toBe(true);
});

const address = (prefix: string) => fc.nat(20).map((host) => ({ ip: `${prefix}.${host}` }));
const subsetsOf = (prefix: string): fc.Arbitrary<readonly EndpointSubset[]> =>
  fc.array(
    fc.record({
      addresses: fc.uniqueArray(address(prefix), { selector: ({ ip }) => ip, maxLength: 6 }),
      notReadyAddresses: fc.array(address(`${prefix}.9`), { maxLength: 2 }),
      ports: fc.constant(http),
    }),
    { maxLength: 4 },
  );
const world = fc.record({
  mode: fc.constantFrom<SksMode>("Serve", "Proxy"),
  count: fc.nat(8),
  a: subsetsOf("10.1.1"),
  p: subsetsOf("10.2.2"),
});

test("I-2: whenever anybody is ready, the public endpoints lead to somebody", () => {
  fc.assert(
    fc.property(world, ({ mode, count, a, p }) => {
      const found = publicSubsets(sksOf(mode, count), { activators: endpoints(a), pods: endpoints(p) });
      if (readyCount({ subsets: a }) + readyCount({ subsets: p }) > 0) {
        expect(readyCount({ subsets: found })).toBeGreaterThan(0);
      } else {
        expect(readyCount({ subsets: found })).toBe(0);
      }
    }),
  );
});

test("I-3: they are activators or pods, never a mixture", () => {
  fc.assert(
    fc.property(world, ({ mode, count, a, p }) => {
      const found = ipsOf(
        publicSubsets(sksOf(mode, count), { activators: endpoints(a), pods: endpoints(p) }),
      );
      const activatorIps = new Set(ipsOf(a));
      if (!found.every((ip) => activatorIps.has(ip))) expect(found).toEqual(ipsOf(p));
    }),
  );
});

test("I-4: in effective Proxy there are min(n, all) activators, the ones the subset rule names", () => {
  fc.assert(
    fc.property(world, ({ count, a, p }) => {
      const all = new Set(ipsOf(a));
      if (all.size === 0) return;
      const found = publicSubsets(sksOf("Proxy", count), { activators: endpoints(a), pods: endpoints(p) });
      const want = count === 0 ? all : consistentSubset(all, { count, target: "hello-00001" });
      expect(new Set(ipsOf(found))).toEqual(new Set(want));
    }),
  );
});

test("I-9: asked twice, or in another order, they are the same", () => {
  fc.assert(
    fc.property(world, ({ mode, count, a, p }) => {
      const once = publicSubsets(sksOf(mode, count), { activators: endpoints(a), pods: endpoints(p) });
      const again = publicSubsets(sksOf(mode, count), {
        activators: endpoints([...a].reverse()),
        pods: endpoints([...p].reverse()),
      });
      expect(isSameSubsets(once, again)).toBe(true);
    }),
  );
});

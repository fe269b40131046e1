import { describe, expect, test } from "vitest";
import type { EndpointSlice } from "./kinds/discovery.ts";
import { mergeSlices } from "./merge-slices.ts";

type Slice = Pick<EndpointSlice, "addressType" | "endpoints" | "ports">;
const ports = [{ name: "http", port: 8012, protocol: "TCP" }];
const pod = (name: string) => ({ kind: "Pod", namespace: "default", name, uid: `uid-${name}` });
const endpoint = (
  ip: string,
  name: string | undefined,
  conditions?: { ready?: boolean; terminating?: boolean },
) => ({
  addresses: [ip],
  ...(conditions === undefined ? {} : { conditions }),
  ...(name === undefined ? {} : { targetRef: pod(name) }),
});
const slice = (addressType: Slice["addressType"], endpoints: Slice["endpoints"], of = ports): Slice => ({
  addressType,
  endpoints,
  ports: of,
});
const ips = (slices: readonly Slice[], preferred: "IPv4" | "IPv6" = "IPv4") =>
  mergeSlices(slices, preferred).map(({ addresses = [], notReadyAddresses = [], ports: [port] = [] }) => ({
    port: port?.port,
    ready: addresses.map(({ ip }) => ip),
    notReady: notReadyAddresses.map(({ ip }) => ip),
  }));

describe("K-97: slices of one Service", () => {
  test("are one list, whatever they were cut into", () => {
    const first = slice("IPv4", [endpoint("10.0.0.1", "a"), endpoint("10.0.0.2", "b", { ready: false })]);
    const second = slice("IPv4", [endpoint("10.0.0.3", "c", { ready: true })]);
    expect(ips([first, second])).toEqual([
      { port: 8012, ready: ["10.0.0.1", "10.0.0.3"], notReady: ["10.0.0.2"] },
    ]);
  });

  test.each([
    { preferred: "IPv4", want: ["10.0.0.1", "10.0.0.2"] },
    { preferred: "IPv6", want: ["fd00::1", "fd00::3"] },
  ] as const)("of both families are those of $preferred, where that is preferred", ({ preferred, want }) => {
    const four = slice("IPv4", [endpoint("10.0.0.1", "a"), endpoint("10.0.0.2", "b")]);
    const six = slice("IPv6", [endpoint("fd00::1", "a"), endpoint("fd00::3", "c")]);
    expect(ips([four, six], preferred)).toEqual([{ port: 8012, ready: want, notReady: [] }]);
  });

  test("of the other family are taken where there are none of the preferred one, not where those are empty", () => {
    const six = slice("IPv6", [endpoint("fd00::1", "a")]);
    expect(ips([six])).toEqual([{ port: 8012, ready: ["fd00::1"], notReady: [] }]);
    expect(ips([six, slice("IPv4", [])])).toEqual([]);
  });

  test.each([
    { why: "unknown counts as ready", conditions: {}, ready: ["10.0.0.1"], notReady: [] },
    { why: "not ready yet", conditions: { ready: false }, ready: [], notReady: ["10.0.0.1"] },
    { why: "on its way out", conditions: { ready: false, terminating: true }, ready: [], notReady: [] },
  ])("tell what a pod is: $why", ({ conditions, ready, notReady }) => {
    const found = ips([slice("IPv4", [endpoint("10.0.0.1", "a", conditions)])]);
    expect(found).toEqual(ready.length + notReady.length === 0 ? [] : [{ port: 8012, ready, notReady }]);
  });

  test("say twice of a pod that moves between them: ready in one is ready, in either order", () => {
    const old = slice("IPv4", [endpoint("10.0.0.1", "a", { ready: false })]);
    const now = slice("IPv4", [endpoint("10.0.0.1", "a", { ready: true })]);
    for (const order of [
      [old, now],
      [now, old],
    ]) {
      expect(ips(order)).toEqual([{ port: 8012, ready: ["10.0.0.1"], notReady: [] }]);
    }
  });

  test("without pods behind them are told apart by address, and names of hosts are none", () => {
    const slices = [slice("IPv4", [endpoint("10.0.0.1", undefined), endpoint("10.0.0.2", undefined)])];
    expect(ips([...slices, slice("FQDN", [endpoint("a.example", undefined)])])).toEqual([
      { port: 8012, ready: ["10.0.0.1", "10.0.0.2"], notReady: [] },
    ]);
  });

  test("with other ports are subsets of their own", () => {
    const other = slice("IPv4", [endpoint("10.0.0.9", "z")], [{ name: "http", port: 9000, protocol: "TCP" }]);
    expect(ips([slice("IPv4", [endpoint("10.0.0.1", "a")]), other])).toEqual([
      { port: 8012, ready: ["10.0.0.1"], notReady: [] },
      { port: 9000, ready: ["10.0.0.9"], notReady: [] },
    ]);
  });
});

import { PORT_PER_POD } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { filterPorts } from "./port-filter.ts";

const plain = { metadata: { name: "source" } };
const numbers = (...ports: number[]) => [
  { addresses: [{ ip: "10.0.0.1" }], ports: ports.map((port) => ({ port })) },
];

describe("K-36: ports of the public endpoints", () => {
  test.each([
    { protocol: "http1", from: [8022, 8012, 8043], want: [8012] },
    { protocol: "h2c", from: [8012, 8013, 8019, 8112], want: [8013, 8112] },
    { protocol: "http1", from: [8112, 443], want: [8112] },
  ] as const)("W-10: of $from a $protocol revision keeps $want", ({ protocol, from, want }) => {
    const [subset] = filterPorts(plain, numbers(...from), protocol);
    expect(subset?.ports?.map(({ port }) => port)).toEqual(want);
    expect(subset?.addresses).toEqual([{ ip: "10.0.0.1" }]);
  });

  test("W-10: nothing stays nothing", () => {
    expect(filterPorts(plain, [], "http1")).toEqual([]);
  });

  test("both names of one number are kept, as a mesh lists the port twice", () => {
    const ports = [
      { name: "http", port: 8012 },
      { name: "http-istio", port: 8012 },
      { name: "http-autometric", port: 9090 },
    ];
    expect(filterPorts(plain, [{ ports }], "http1")[0]?.ports).toEqual(ports.slice(0, 2));
  });

  test("where pods share an address, the protocol's port is known by its name", () => {
    const perPod = { metadata: { name: "source", annotations: { "rouse.dev/queue-port": PORT_PER_POD } } };
    const ports = [
      { name: "http", port: 41_001 },
      { name: "http-autometric", port: 41_002 },
    ];
    expect(filterPorts(perPod, [{ ports }], "http1")[0]?.ports).toEqual([{ name: "http", port: 41_001 }]);
    expect(filterPorts(plain, [{ ports }], "http1")[0]?.ports).toEqual([]);
  });
});

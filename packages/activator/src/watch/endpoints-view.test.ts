import { describe, expect, test } from "vitest";
import { activatorPlace, podAddresses } from "./endpoints-view.ts";

const addresses = (...ips: string[]) => ips.map((ip) => ({ ip }));

describe("A-52, A-142", () => {
  test("only the port of the revision's protocol counts; ready wins over not ready", () => {
    const subsets = [
      {
        addresses: addresses("10.0.0.1", "10.0.0.2"),
        notReadyAddresses: addresses("10.0.0.3"),
        ports: [
          { name: "http-istio", port: 9 },
          { name: "http", port: 8012 },
        ],
      },
      { addresses: addresses("10.0.0.4"), ports: [{ name: "http2", port: 8013 }] },
      { notReadyAddresses: addresses("10.0.0.1"), ports: [{ name: "http", port: 8012 }] },
      { addresses: addresses("10.0.0.5") },
      {},
    ];
    const { ready, notReady } = podAddresses({ subsets }, "http");
    expect([[...ready], [...notReady]]).toEqual([["10.0.0.1:8012", "10.0.0.2:8012"], ["10.0.0.3:8012"]]);
  });

  test("nothing at all", () => {
    expect(podAddresses({}, "http")).toEqual({ ready: new Set(), notReady: new Set() });
  });
});

describe("A-75", () => {
  const own = { portName: "http", podIp: "10.0.0.9" };

  test("the place among the sorted addresses of the protocol's port, each counted once", () => {
    const ports = [{ name: "http", port: 8012 }];
    const subsets = [
      { addresses: addresses("10.0.0.9", "10.0.0.10"), ports },
      { addresses: addresses("10.0.0.9", "10.0.0.8"), ports },
      { addresses: addresses("10.0.0.0"), ports: [{ name: "https", port: 8112 }] },
    ];
    expect(activatorPlace({ subsets }, own)).toEqual({ kind: "known", index: 2, of: 3 });
  });

  test("A-76: not listed, nothing said", () => {
    const subsets = [{ addresses: addresses("10.1.0.1"), ports: [{ name: "http", port: 8012 }] }];
    expect(activatorPlace({ subsets }, own)).toBeUndefined();
  });
});

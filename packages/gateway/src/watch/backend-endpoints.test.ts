import { expect, test } from "vitest";
import { readyEndpoints } from "./backend-endpoints.ts";

const addresses = [{ ip: "10.0.0.1" }];

test.each([
  { ports: [{ name: "http", port: 8012 }], servicePort: 80, want: ["10.0.0.1:8012"] },
  {
    ports: [
      { name: "http2", port: 8013 },
      { name: "https", port: 8112 },
    ],
    servicePort: 81,
    want: ["10.0.0.1:8013"],
  },
  {
    ports: [
      { name: "http2", port: 8013 },
      { name: "https", port: 8112 },
    ],
    servicePort: 443,
    want: ["10.0.0.1:8112"],
  },
  { ports: [{ name: "http", port: 8012 }], servicePort: 81, want: [] },
  { ports: [{ name: "http", port: 8012 }], servicePort: "http", want: ["10.0.0.1:8012"] },
  { ports: [{ port: 9000 }], servicePort: 1234, want: ["10.0.0.1:9000"] },
])("C-112: port $servicePort of $ports leads to $want", ({ ports, servicePort, want }) => {
  const subsets = [{ addresses, notReadyAddresses: [{ ip: "10.0.0.2" }], ports }];
  expect([...readyEndpoints({ subsets }, servicePort)]).toEqual(want);
});

test("no object, no endpoints", () => {
  expect(readyEndpoints(undefined, 80).size).toBe(0);
});

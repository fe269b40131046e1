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
  expect([...readyEndpoints({ service: undefined, endpoints: { subsets } }, servicePort)]).toEqual(want);
});

test("no object, no endpoints", () => {
  expect(readyEndpoints({ service: undefined, endpoints: undefined }, 80).size).toBe(0);
});

test.each([
  {
    servicePort: 8080,
    declared: [{ name: "web", port: 8080 }],
    own: [{ name: "web", port: 3000 }],
    want: 3000,
  },
  {
    servicePort: "web",
    declared: [{ name: "web", port: 8080 }],
    own: [{ name: "web", port: 3000 }],
    want: 3000,
  },
  { servicePort: 80, declared: [{ port: 80 }], own: [{ port: 3000 }], want: 3000 },
  {
    servicePort: 80,
    declared: [
      { name: "admin", port: 81 },
      { name: "web", port: 80 },
    ],
    own: [
      { name: "admin", port: 1 },
      { name: "web", port: 2 },
    ],
    want: 2,
  },
])(
  "C-112: port $servicePort of a Service with $declared leads to $want",
  ({ servicePort, declared, own, want }) => {
    const service = { spec: { ports: declared } };
    const endpoints = { subsets: [{ addresses, ports: own }] };
    expect([...readyEndpoints({ service, endpoints }, servicePort)]).toEqual([`10.0.0.1:${want}`]);
  },
);

test.each([
  { servicePort: 8080, want: ["example.org:8080"] },
  { servicePort: "web", want: ["example.org:80"] },
  { servicePort: "other", want: [] },
])("C-112: port $servicePort of a name for another host leads to $want", ({ servicePort, want }) => {
  const spec = {
    type: "ExternalName",
    externalName: "example.org",
    ports: [{ name: "web", port: 80 }],
  } as const;
  expect([...readyEndpoints({ service: { spec }, endpoints: undefined }, servicePort)]).toEqual(want);
});

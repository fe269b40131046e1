import { expect, test } from "vitest";
import { probeTarget } from "./probe-target.ts";

const defaults = { ip: "127.0.0.1", port: 8080 };

test.each([
  { probe: undefined, want: { kind: "tcp", ip: "127.0.0.1", port: 8080 } },
  { probe: { tcpSocket: {} }, want: { kind: "tcp", ip: "127.0.0.1", port: 8080 } },
  {
    probe: { tcpSocket: { port: "9000", host: "127.0.0.2" } },
    want: { kind: "tcp", ip: "127.0.0.2", port: 9000 },
  },
  { probe: { tcpSocket: { port: "http" } }, want: { kind: "tcp", ip: "127.0.0.1", port: 8080 } },
  { probe: { exec: { command: ["true"] } }, want: { kind: "tcp", ip: "127.0.0.1", port: 8080 } },
  { probe: { grpc: { port: 9000 } }, want: { kind: "grpc", ip: "127.0.0.1", port: 9000, service: "" } },
  {
    probe: {
      httpGet: { path: "ready?x=1", port: 0, scheme: "HTTPS", httpHeaders: [{ name: "A", value: "b" }] },
    },
    want: {
      kind: "http",
      scheme: "https",
      ip: "127.0.0.1",
      port: 8080,
      path: "/ready?x=1",
      headers: [["A", "b"]],
    },
  },
  {
    probe: { httpGet: {} },
    want: { kind: "http", scheme: "http", ip: "127.0.0.1", port: 8080, path: "/", headers: [] },
  },
])("Q-88, Q-89: $probe", ({ probe, want }) => {
  expect(probeTarget(probe, defaults)).toEqual(want);
});

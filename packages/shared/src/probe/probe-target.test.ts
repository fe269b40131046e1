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

test.each([
  { path: "", want: "/" },
  { path: "ready", want: "/ready" },
  { path: "/ready?deep=1&x=a%20b", want: "/ready?deep=1&x=a%20b" },
  { path: "//a/../b", want: "//a/../b" },
  { path: "/a b|é#part", want: "/a%20b%7C%C3%A9" },
  { path: "/\r\nX: y", want: "/%0D%0AX:%20y" },
  { path: "/\ud800", want: "/%EF%BF%BD" },
])("Q-98: the path $path is asked for as $want", ({ path, want }) => {
  expect(probeTarget({ httpGet: { path } }, defaults)).toMatchObject({ path: want });
});

import { expect, test } from "vitest";
import { addressLabels, methodLabel, ToldHosts } from "./request-labels.ts";

test("Q-134: methods of the standards are themselves, QUERY (RFC 10008) among them; all others are one", () => {
  expect(["GET", "PATCH", "QUERY", "CONNECT"].map(methodLabel)).toEqual(["GET", "PATCH", "QUERY", "CONNECT"]);
  expect(["BREW", "get", ""].map(methodLabel)).toEqual(["_OTHER", "_OTHER", "_OTHER"]);
});

test("E-16: so many hosts are told apart, and no more", () => {
  const hosts = new ToldHosts(2);
  expect(["a", "b", "a", "c", "b"].map((host) => hosts.told(host))).toEqual(["a", "b", "a", "_other", "b"]);
});

test.each([
  { host: "hello.example", isTls: false, want: ["hello.example"] },
  { host: "hello.example:8080", isTls: false, want: ["hello.example", 8080] },
  { host: "hello.example:80", isTls: false, want: ["hello.example"] },
  { host: "hello.example:80", isTls: true, want: ["hello.example", 80] },
  { host: "hello.example:443", isTls: true, want: ["hello.example"] },
  { host: "[::1]:8080", isTls: false, want: ["::1", 8080] },
  { host: "[::1]", isTls: false, want: ["::1"] },
  { host: "", isTls: false, want: [""] },
])("Q-133: the address of $host, by TLS $isTls, is $want", ({ host, isTls, want }) => {
  expect(addressLabels(host, isTls).map(([, value]) => value)).toEqual(want);
});

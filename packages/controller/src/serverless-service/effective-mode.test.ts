import { expect, test } from "vitest";
import { effectiveMode, readyCount } from "./effective-mode.ts";

test.each([
  { wanted: "Serve", pods: 1, activators: 1, want: "Serve" },
  { wanted: "Serve", pods: 0, activators: 1, want: "Proxy" },
  { wanted: "Serve", pods: 1, activators: 0, want: "Serve" },
  { wanted: "Proxy", pods: 1, activators: 1, want: "Proxy" },
  { wanted: "Proxy", pods: 0, activators: 1, want: "Proxy" },
  { wanted: "Proxy", pods: 1, activators: 0, want: "Serve" },
  { wanted: "Proxy", pods: 0, activators: 0, want: "Serve" },
  { wanted: "Serve", pods: 0, activators: 0, want: "Serve" },
] as const)(
  "W-1: $wanted with $pods pods and $activators activators is $want",
  ({ wanted, want, ...ready }) => {
    expect(effectiveMode(wanted, ready)).toBe(want);
  },
);

test("K-31: ready addresses of all subsets count, not-ready ones never", () => {
  expect(readyCount({})).toBe(0);
  const subsets = [
    { addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }], notReadyAddresses: [{ ip: "10.0.0.3" }] },
    { notReadyAddresses: [{ ip: "10.0.0.4" }] },
    { addresses: [{ ip: "10.0.0.1" }] },
  ];
  expect(readyCount({ subsets })).toBe(3);
});

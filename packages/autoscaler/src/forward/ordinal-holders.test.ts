import { expect, test } from "vitest";
import { OrdinalHolders, parseOrdinal } from "./ordinal-holders.ts";

test("S-140: in a StatefulSet the ordinal is the bucket, and the others have names", () => {
  expect(parseOrdinal("as-12")).toEqual({ name: "as", ordinal: 12 });
  expect(parseOrdinal("my-as-0")).toEqual({ name: "my-as", ordinal: 0 });
  expect(parseOrdinal("as")).toBeUndefined();
  const holders = new OrdinalHolders(
    {
      name: "as",
      ordinal: 1,
      service: "autoscaler",
      protocol: "http",
      port: 80,
      clusterDomain: "cluster.local",
    },
    ["b0", "b1", "b2"],
  );
  expect(holders.holder("b1")).toEqual({ kind: "local" });
  expect(holders.holder("b2")).toEqual({
    kind: "remote",
    urls: ["ws://as-2.autoscaler.knative-serving.svc.cluster.local:80"],
  });
  expect(holders.holder("b3")).toBeUndefined();
});

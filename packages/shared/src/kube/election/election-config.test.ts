import { describe, expect, test } from "vitest";
import type { MonoMs } from "../../clock/clock.ts";
import { parseElectionConfig } from "./election-config.ts";
import { identityText, leaseStep, parseIdentity } from "./lease-record.ts";

describe("S-130: config-leader-election", () => {
  test("an empty map is one bucket, 60 s, 40 s and 10 s", () => {
    expect(parseElectionConfig({})).toEqual({
      buckets: 1,
      leaseDurationMs: 60_000,
      renewDeadlineMs: 40_000,
      retryPeriodMs: 10_000,
    });
  });

  test("every key is read", () => {
    const data = { buckets: "3", "lease-duration": "15s", "renew-deadline": "10s", "retry-period": "2s" };
    expect(parseElectionConfig(data)).toEqual({
      buckets: 3,
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2_000,
    });
  });

  test.each([{ buckets: "0" }, { buckets: "11" }, { buckets: "x" }, { "lease-duration": "soon" }])(
    "%o is refused",
    (data) => {
      expect(() => parseElectionConfig(data)).toThrow(Object.keys(data)[0]);
    },
  );
});

test("S-131: a holder is its pod and address, split at the first underscore", () => {
  const identity = { podName: "autoscaler-7d", podIp: "10.0.0.7" };
  expect(identityText(identity)).toBe("autoscaler-7d_10.0.0.7");
  expect(parseIdentity("autoscaler-7d_10.0.0.7")).toEqual(identity);
  expect(parseIdentity("a_b_c")).toEqual({ podName: "a", podIp: "b_c" });
  for (const text of [undefined, "", "noip", "_1.2.3.4", "pod_"]) expect(parseIdentity(text)).toBeUndefined();
});

test.each([
  { holder: "me", since: 0, now: 1_000_000, want: "renew" },
  { holder: "", since: 0, now: 0, want: "take" },
  { holder: "other", since: 1_000, now: 60_999, want: "wait" },
  { holder: "other", since: 1_000, now: 61_000, want: "take" },
])("S-130: held by '$holder' since $since, at $now: $want", ({ holder, since, now, want }) => {
  const observed = { spec: { holderIdentity: holder, leaseDurationSeconds: 60 }, since: since as MonoMs };
  expect(leaseStep(observed, "me", now as MonoMs)).toBe(want);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type IdleRevision, type ScaleToZero, scaleToZero } from "./scale-to-zero.ts";

const S = 1_000;

/** Settings of V-44. */
function idle(over: Partial<IdleRevision>): IdleRevision {
  return {
    activity: { kind: "inactive", forMs: 0 },
    isScaleToZeroEnabled: true,
    stableWindowMs: 300 * S,
    progressDeadlineMs: 121 * S,
    graceMs: 60 * S,
    retentionMs: 0,
    mode: "Proxy",
    proxyForMs: 0,
    replicas: 1,
    confirmation: "confirmed",
    ...over,
  };
}

const active = (seconds: number) => ({ kind: "active", forMs: seconds * S }) as const;
const inactive = (seconds: number) => ({ kind: "inactive", forMs: seconds * S }) as const;
const activating = (seconds: number) => ({ kind: "activating", forMs: seconds * S }) as const;
const unlimited = { kind: "always-in-path", readyActivators: 1 } as const;

describe("V-44, S-102…S-104", () => {
  interface Row {
    readonly when: string;
    readonly given: Partial<IdleRevision>;
    readonly want: number | undefined;
    readonly isPatched: boolean;
    readonly recheckMs?: number;
    readonly asks?: number;
  }
  const rows: readonly Row[] = [
    { when: "active 4m59s", given: { activity: active(299) }, want: 1, isPatched: false, recheckMs: S },
    {
      when: "active 4m59s with 10 replicas",
      given: { activity: active(299), replicas: 10 },
      want: 1,
      isPatched: true,
      recheckMs: S,
    },
    { when: "active 5m, Serve", given: { activity: active(300), mode: "Serve" }, want: 0, isPatched: false },
    {
      when: "active 5m, Proxy",
      given: { activity: active(300) },
      want: 0,
      isPatched: false,
      recheckMs: 3 * S,
    },
    { when: "inactive 60s", given: { activity: inactive(60) }, want: 0, isPatched: true },
    { when: "inactive 59s", given: { activity: inactive(59) }, want: 0, isPatched: false, recheckMs: 60 * S },
    {
      when: "inactive 59s, proxy for 59s",
      given: { activity: inactive(59), proxyForMs: 59 * S },
      want: 0,
      isPatched: false,
      recheckMs: S,
    },
    {
      when: "inactive 59s, proxy for 60s",
      given: { activity: inactive(59), proxyForMs: 60 * S },
      want: 0,
      isPatched: true,
    },
    {
      when: "inactive 59s, proxy for 60s, retention 42s",
      given: { activity: inactive(59), proxyForMs: 60 * S, retentionMs: 42 * S },
      want: 0,
      isPatched: true,
    },
    {
      when: "inactive 60s, retention 120s",
      given: { activity: inactive(60), retentionMs: 120 * S },
      want: 0,
      isPatched: false,
      recheckMs: 60 * S,
    },
    {
      when: "active 2m with 2 replicas (V-45)",
      given: { activity: active(120), replicas: 2 },
      want: 1,
      isPatched: true,
      recheckMs: 180 * S,
    },
    {
      when: "scale to zero disabled (V-45)",
      given: { activity: inactive(60), isScaleToZeroEnabled: false },
      want: 1,
      isPatched: false,
    },
    {
      when: "inactive 60s, probe denied",
      given: { activity: inactive(60), confirmation: "denied" },
      want: 0,
      isPatched: false,
      asks: 1,
    },
    {
      when: "inactive 60s, unlimited burst",
      given: { activity: inactive(60), confirmation: unlimited },
      want: 0,
      isPatched: true,
    },
    {
      when: "activating 75s",
      given: { activity: activating(75) },
      want: undefined,
      isPatched: false,
      recheckMs: 77 * S,
    },
    { when: "activating 152s", given: { activity: activating(152) }, want: 0, isPatched: true },
    {
      when: "activating 36s, progress deadline 5s",
      given: { activity: activating(36), progressDeadlineMs: 5 * S },
      want: 0,
      isPatched: true,
    },
  ];
  test.each(rows)(
    "$when: want $want, patched $isPatched",
    ({ given, want, isPatched, recheckMs, asks = 0 }) => {
      const revision = idle(given);
      const decision = scaleToZero(revision);
      expect(wantOf(decision)).toBe(want);
      expect(decision.kind === "apply" && decision.pods !== revision.replicas).toBe(isPatched);
      expect("recheckMs" in decision ? decision.recheckMs : undefined).toBe(recheckMs);
      expect(decision.kind === "ask-later" ? 1 : 0).toBe(asks);
    },
  );
});

test("with scale to zero disabled one pod stays (S-101)", () => {
  expect(scaleToZero(idle({ isScaleToZeroEnabled: false, activity: inactive(9_999) }))).toMatchObject({
    kind: "apply",
    pods: 1,
  });
});

test("the activator is asked before the last pod goes, and not once there is none (S-105)", () => {
  expect(scaleToZero(idle({ activity: inactive(999), confirmation: "unasked" }))).toEqual({
    kind: "ask-activator",
  });
  expect(scaleToZero(idle({ activity: inactive(999), confirmation: "unasked", replicas: 0 }))).toMatchObject({
    kind: "apply",
    pods: 0,
  });
});

test("unlimited burst and no ready activator: the pod stays, or nobody could wake the revision (K-84)", () => {
  const decision = scaleToZero(
    idle({ activity: inactive(999), confirmation: { kind: "always-in-path", readyActivators: 0 } }),
  );
  expect(decision).toEqual({ kind: "hold", want: 0, recheckMs: 3_000, because: "no-activator" });
});

test("in every situation the invariants of scaling to zero hold (I-5..I-8, S-107, K-80)", () => {
  const situation: fc.Arbitrary<IdleRevision> = fc.record({
    activity: fc.record({
      kind: fc.constantFrom("active", "activating", "inactive"),
      forMs: fc.integer({ min: 0, max: 400 * S }),
    }),
    isScaleToZeroEnabled: fc.boolean(),
    stableWindowMs: fc.integer({ min: 6 * S, max: 300 * S }),
    progressDeadlineMs: fc.integer({ min: 0, max: 300 * S }),
    graceMs: fc.integer({ min: 1, max: 100 * S }),
    retentionMs: fc.integer({ min: 0, max: 200 * S }),
    mode: fc.constantFrom("Serve", "Proxy"),
    proxyForMs: fc.integer({ min: 0, max: 200 * S }),
    replicas: fc.integer({ min: 1, max: 9 }),
    confirmation: fc.oneof(
      fc.constantFrom("unasked", "confirmed", "denied"),
      fc.record({ kind: fc.constant("always-in-path"), readyActivators: fc.nat(2) }),
    ),
  });
  fc.assert(
    fc.property(situation, (revision) => {
      const decision = scaleToZero(revision);
      const { activity, confirmation } = revision;
      if (decision.kind === "apply" && decision.pods === 0) {
        expect(activity.kind).not.toBe("active"); // I-7
        if (activity.kind === "inactive") {
          const isConfirmed =
            confirmation === "confirmed" ||
            (typeof confirmation === "object" && confirmation.readyActivators > 0);
          expect(isConfirmed).toBe(true); // I-5
          expect(activity.forMs).toBeGreaterThanOrEqual(revision.retentionMs); // I-6
          expect(Math.max(activity.forMs, revision.proxyForMs)).toBeGreaterThanOrEqual(revision.graceMs); // I-6
        }
      }
      if (wantOf(decision) === undefined) expect(decision.kind).not.toBe("apply"); // I-8
      if ("recheckMs" in decision) expect(decision.recheckMs).toBeGreaterThan(0);
    }),
    { numRuns: 2_000 },
  );
});

function wantOf(decision: ScaleToZero): number | undefined {
  switch (decision.kind) {
    case "apply":
      return decision.pods;
    case "hold":
      return decision.want;
    case "ask-activator":
    case "ask-later":
      return 0;
  }
}

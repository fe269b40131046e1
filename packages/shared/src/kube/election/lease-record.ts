import { type MonoMs, parseRfc3339, rfc3339, type WallMs } from "../../clock/clock.ts";
import type { Lease } from "../kinds/coordination.ts";

/** How Leases are held: `config-leader-election`. S-130. */
export interface ElectionConfig {
  readonly buckets: number;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

export const defaultElectionConfig: ElectionConfig = {
  buckets: 1,
  leaseDurationMs: 60_000,
  renewDeadlineMs: 40_000,
  retryPeriodMs: 10_000,
};

/** `<POD_NAME>_<POD_IP>`. S-131. */
export interface Identity {
  readonly podName: string;
  readonly podIp: string;
}

export function identityText({ podName, podIp }: Identity): string {
  return `${podName}_${podIp}`;
}

/** Split at the first `_`; `undefined` if either half is missing. S-131, S-135. */
export function parseIdentity(text: string | undefined): Identity | undefined {
  const at = text?.indexOf("_") ?? -1;
  if (text === undefined || at < 1 || at === text.length - 1) return undefined;
  return { podName: text.slice(0, at), podIp: text.slice(at + 1) };
}

/** A Lease as last read, and since when it reads like this by our own clock: clocks of others prove nothing. */
export interface Observed {
  readonly spec: Lease["spec"];
  readonly since: MonoMs;
}

/** What to do about a Lease now. */
export type LeaseStep = "renew" | "take" | "wait";

/** Ours is renewed; a free one, or one its holder has not renewed for its whole duration, is taken. */
export function leaseStep(observed: Observed, me: string, now: MonoMs): LeaseStep {
  const { holderIdentity = "", leaseDurationSeconds = 0 } = observed.spec;
  if (holderIdentity === me) return "renew";
  if (holderIdentity === "") return "take";
  return now - observed.since >= leaseDurationSeconds * 1_000 ? "take" : "wait";
}

/** What is written when a Lease is taken or renewed. */
export function heldSpec(
  before: Lease["spec"] | undefined,
  me: string,
  { leaseDurationMs }: Pick<ElectionConfig, "leaseDurationMs">,
  now: WallMs,
): Lease["spec"] {
  const isOurs = before?.holderIdentity === me;
  const at = microTime(now);
  return {
    holderIdentity: me,
    leaseDurationSeconds: Math.ceil(leaseDurationMs / 1_000),
    acquireTime: isOurs ? (before.acquireTime ?? at) : at,
    renewTime: at,
    leaseTransitions: (before?.leaseTransitions ?? 0) + (before === undefined || isOurs ? 0 : 1),
  };
}

/** What is written when a Lease is given up: anyone may have it at once. S-132. */
export function releasedSpec(before: Lease["spec"], now: WallMs): Lease["spec"] {
  return { ...before, holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime(now) };
}

/** Kubernetes' MicroTime. */
function microTime(at: WallMs): string {
  const whole = rfc3339(at);
  const ms = String(Math.floor(at - (parseRfc3339(whole) ?? at))).padStart(3, "0");
  return `${whole.slice(0, -1)}.${ms}000Z`;
}

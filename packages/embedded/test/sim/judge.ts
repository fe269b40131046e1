import type { FreeSlots } from "./free-slots.ts";
import type { Scenario } from "./scenario.ts";
import { isServed, SERVED, type SimRequest } from "./sim-request.ts";
import type { Slack } from "./slack.ts";

const BAD_GATEWAY = 502;
/** A pod's own queue is in its own process: nothing has to travel. */
const OWN_QUEUE_MS = 500;
/** Answers and broken connections travel. */
const LAST_HOPS_MS = 3_000;
/** The activator holds a request for as long as the pod may then take over it. */
const TIMEOUTS = 2;

/** Why a request that was not served did not have to be. */
export type Excuse =
  /** Its process went away under it. */
  | "crashed"
  /** Its process took it and answered nothing more. */
  | "hung"
  /** No pod was free for it for as long as news travels: there were none, or others had them. */
  | "no slot"
  /** The pod that took it was busy with others to the end. */
  | "busy pod"
  /** It waited so long for a slot that its work did not end in time, or its answer was cut on the way. */
  | "too late";

export interface Evidence {
  readonly scenario: Scenario;
  readonly slots: FreeSlots;
  readonly slack: Slack;
}

/** What is wrong with how a request ended, if anything; and why it was not served, if it was not. */
export interface Verdict {
  readonly wrong: readonly string[];
  readonly excuse?: Excuse;
}

/** Judges one request when all is over. A client that left needs no answer, but was a waiter like any other. */
export function judge(request: SimRequest, evidence: Evidence): Verdict {
  const wrong: string[] = [...wrongEnd(request, evidence), ...wrongWait(request, evidence)];
  if (request.hasLeft || isServed(request)) return { wrong };
  const loss = lossOf(request, evidence);
  return loss.kind === "excused" ? { wrong, excuse: loss.excuse } : { wrong: [...wrong, loss.why] };
}

/** Each request ends once, in time, with a status, whatever met it. */
function wrongEnd(request: SimRequest, { scenario }: Evidence): readonly string[] {
  const { endings, sentAt, endedAt, status, hasLeft, wasCut } = request;
  const found: string[] = [];
  if (endings !== 1) found.push(`it ended ${endings} times`);
  if (!hasLeft && status === 0) found.push(`it got no status${wasCut ? ": cut" : ""}`);
  const limitMs = TIMEOUTS * timeoutMsOf(request, scenario) + LAST_HOPS_MS;
  if (endedAt - sentAt > limitMs) found.push(`it took ${(endedAt - sentAt).toFixed(0)} ms`);
  return found;
}

/** No request waits in an activator beside a free slot, or while nobody starts anything for it. */
function wrongWait(request: SimRequest, { slots, slack }: Evidence): readonly string[] {
  const { service, heldAt, firstTakenAt, endedAt } = request;
  const until = Math.min(firstTakenAt, endedAt);
  const found: string[] = [];
  const freeMs = slots.freeMs(service, heldAt, until);
  if (freeMs > slack.freeMs) found.push(`a pod was free for ${freeMs.toFixed(0)} ms of its wait`);
  const nothingMs = slots.nothingMs(service, heldAt, until);
  if (nothingMs > slack.wakeMs) found.push(`nothing was started for ${nothingMs.toFixed(0)} ms of its wait`);
  return found;
}

type Loss =
  | { readonly kind: "excused"; readonly excuse: Excuse }
  | { readonly kind: "lost"; readonly why: string };

function lossOf(request: SimRequest, { slots, slack, scenario }: Evidence): Loss {
  const { status, harm, text, takenAt, takenBy, begunAt, endedAt, sentAt, wasCut } = request;
  // What was answered by then was not lost by the fault.
  if (harm === "crash") return { kind: "excused", excuse: "crashed" };
  if (harm === "hang") return { kind: "excused", excuse: "hung" };
  const tookMs = endedAt - sentAt;
  const timeoutMs = timeoutMsOf(request, scenario);
  // A pod that goes has the revision's timeout to end what it has, counted from before the news of it had travelled.
  const isLate = status === SERVED ? wasCut && tookMs >= timeoutMs : tookMs >= timeoutMs - slack.nowhereMs;
  if (isLate && (status === SERVED || status === BAD_GATEWAY)) return { kind: "excused", excuse: "too late" };
  if (status !== 503 && status !== 504) return lost("no fault met it");
  // Of the gateway: an activator would have taken the request, had it been sent to one.
  if (text.includes("no ready endpoint") || text.includes("none of its endpoints")) {
    return lost("there are always activators");
  }
  if (takenBy === "") return { kind: "excused", excuse: "no slot" };
  const freeMs = slots.freeAtMs(takenBy, takenAt, Math.min(begunAt, endedAt));
  if (freeMs > OWN_QUEUE_MS) return lost(`its pod was free for ${freeMs.toFixed(0)} ms`);
  return { kind: "excused", excuse: Number.isFinite(begunAt) ? "too late" : "busy pod" };
}

function timeoutMsOf({ service }: SimRequest, { services }: Scenario): number {
  return 1_000 * (services.find(({ name }) => name === service)?.timeoutSeconds ?? 0);
}

function lost(why: string): Loss {
  return { kind: "lost", why };
}

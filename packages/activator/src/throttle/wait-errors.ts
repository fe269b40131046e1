import { formatDuration, ProxyError } from "@rouse/shared";
import type { RevisionTarget } from "../resolve/revision-target.ts";
import type { StartFailure } from "../watch/start-failure.ts";

/** When a client turned away may try again: about what a start takes. */
const RETRY_AFTER_MS = 1_000;

export function queueFull(): ProxyError {
  return new ProxyError("queue-full", "pending request queue full", { retryAfterMs: RETRY_AFTER_MS });
}

/** Waiting on would be for nothing. */
export function cannotStart({ key }: RevisionTarget, { reason, message }: StartFailure): ProxyError {
  const cause = message === "" ? reason : `${reason}: ${message}`;
  return new ProxyError("cannot-start", `revision "${key}" cannot start: ${cause}`);
}

/** The wait was as long as it may be. `missing` says what it was for. */
export function waitedTooLong({ key, waitMs }: RevisionTarget, missing: string): ProxyError {
  const waited = `waited ${formatDuration(waitMs)} for a pod of revision "${key}"`;
  return new ProxyError("capacity-timeout", `activator request timeout: ${waited}: ${missing}`);
}

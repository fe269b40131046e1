import type { Clock } from "../clock/clock.ts";

/** How one attempt ended. */
export type AttemptResult =
  | { readonly kind: "ready" }
  | { readonly kind: "not-ready"; readonly because: string };

export const ready: AttemptResult = { kind: "ready" };

export interface AttemptOptions {
  readonly clock: Clock;
  /** Longest one attempt may take, redirects included. */
  readonly timeoutMs: number;
  /** Aborts the attempt, which then ends not ready. */
  readonly signal?: AbortSignal;
}

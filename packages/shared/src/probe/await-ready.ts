import type { Clock } from "../clock/clock.ts";
import { attempt as attemptOnce } from "./attempt.ts";
import type { AttemptOptions, AttemptResult } from "./attempt-result.ts";
import type { ProbeTarget } from "./probe-target.ts";

/** Rests between attempts: short while the program may come up any moment, then a cheap steady pace. */
const RESTS_MS: readonly number[] = [1, 2, 4];
/** An open port is noticed within this: design §5. A refused connection costs about 0.1 ms. */
const RESTS_MS_STEADY = { tcp: 5, http: 20, grpc: 20 } as const;
/** Longest one attempt may take while the program is starting. */
const ATTEMPT_TIMEOUT_MS = 100;

export interface AwaitReadyOptions {
  readonly clock: Clock;
  /** Gives up when aborted. */
  readonly signal: AbortSignal;
  /** Attempts that must succeed in a row. */
  readonly successThreshold: number;
  /** For one attempt; 100 ms unless told. */
  readonly timeoutMs?: number;
  /** Another way to ask. */
  readonly attempt?: (target: ProbeTarget, options: AttemptOptions) => Promise<AttemptResult>;
  /** Told of each attempt that failed. */
  readonly failed?: (because: string) => void;
  /** Attempts after which the pace is 50 ms; never, unless told. */
  readonly patientAfter?: number;
}

/** What a program that is long in starting is asked at: the reference's pace. */
const RESTS_MS_PATIENT = 50;

/**
 * Asks again and again, one attempt after the other, until the target is ready: `true`; or `signal` aborts: `false`.
 * The first attempt is at once, the next after 1, 2 and 4 ms, then at a steady pace.
 */
export async function awaitReady(target: ProbeTarget, options: AwaitReadyOptions): Promise<boolean> {
  const { clock, signal, successThreshold, timeoutMs = ATTEMPT_TIMEOUT_MS } = options;
  const { attempt = attemptOnce, patientAfter = Number.POSITIVE_INFINITY } = options;
  let successes = 0;
  for (let attempts = 0; !signal.aborted; attempts++) {
    const result: AttemptResult = await attempt(target, { clock, timeoutMs, signal });
    successes = result.kind === "ready" ? successes + 1 : 0;
    if (successes >= successThreshold && successes > 0) return true;
    if (result.kind === "not-ready") options.failed?.(result.because);
    const steadyMs = attempts < patientAfter ? RESTS_MS_STEADY[target.kind] : RESTS_MS_PATIENT;
    await rest(clock, RESTS_MS[attempts] ?? steadyMs, signal);
  }
  return false;
}

function rest(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer[Symbol.dispose]();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.after(delayMs, end);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
  });
}

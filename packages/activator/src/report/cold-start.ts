import type { MonoMs } from "@rouse/shared";

/** When a pod reached each step of its start; one not reached, or not known, is absent. */
export interface StartTimes {
  /** Its creation was decided. */
  readonly created?: MonoMs;
  /** Whoever runs it saw it. */
  readonly seen?: MonoMs;
  readonly spawned?: MonoMs;
  readonly portOpen?: MonoMs;
  readonly ready?: MonoMs;
}

/** What a request waited for, in the order it did. */
export const waitPhases = ["decide", "schedule", "spawn", "listen", "ready", "release"] as const;

/**
 * The wait of one request, from its arrival to its being sent to a pod, cut where the pod's start went on:
 *
 * | phase | until |
 * |---|---|
 * | decide | the pod's creation was decided |
 * | schedule | whoever runs pods saw it |
 * | spawn | its process was started |
 * | listen | its port was open |
 * | ready | it passed its readiness probe |
 * | release | the request was sent to it |
 *
 * What happened before the request came counts nothing, what is not known is part of the phase after it, and the
 * phases sum to the wait exactly. In milliseconds.
 */
export function waitOf(request: {
  readonly receivedAt: MonoMs;
  readonly sentAt: MonoMs;
  readonly pod: StartTimes | undefined;
}): readonly number[] {
  const { receivedAt, sentAt, pod } = request;
  let from: number = receivedAt;
  return [pod?.created, pod?.seen, pod?.spawned, pod?.portOpen, pod?.ready, sentAt].map((reached) => {
    const to = Math.min(Math.max(reached ?? from, from), sentAt);
    const tookMs = to - from;
    from = to;
    return tookMs;
  });
}

/**
 * `Server-Timing` (W3C): each phase of the wait, from being sent to the first byte, and the sum, to a tenth of a
 * millisecond. So they add up to it within a millisecond.
 * @param tookMs of each of `waitPhases`, then of the answer
 */
export function serverTiming(tookMs: readonly number[]): string {
  const total = tookMs.reduce((sum, each) => sum + each, 0);
  const phases = [...waitPhases, "respond"].map(
    (phase, index) => `${phase};dur=${(tookMs[index] ?? 0).toFixed(1)}`,
  );
  return [...phases, `total;dur=${total.toFixed(1)}`].join(", ");
}

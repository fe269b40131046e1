import type { MonoMs, Stat, WallMs } from "@rouse/shared";

/** What one stat adds to the windows. */
export interface Load {
  readonly concurrency: number;
  /** Requests per second. */
  readonly rps: number;
}

/**
 * A stat without what came through an activator: the activator reports that itself, so both kinds of traffic simply
 * add up. S-31, V-42.
 */
export function loadOf(stat: Stat): Load {
  return {
    concurrency: stat.averageConcurrentRequests - stat.averageProxiedConcurrentRequests,
    rps: stat.requestCount - stat.proxiedRequestCount,
  };
}

/**
 * Whether a stat may enter the windows: an empty one says nothing (S-28), and one number that is not finite would
 * make every average it takes part in worthless.
 */
export function isRecordable(stat: Stat): boolean {
  const numbers = [
    stat.averageConcurrentRequests,
    stat.averageProxiedConcurrentRequests,
    stat.requestCount,
    stat.proxiedRequestCount,
    stat.processUptime,
    stat.timestamp,
  ];
  const isEmpty = stat.podName === "" && numbers.every((number) => number === 0);
  return !isEmpty && numbers.every((number) => Number.isFinite(number) && number >= 0);
}

/**
 * When a stat was taken, on our monotonic clock: unstamped means now (S-38). A stamp of the future counts as now,
 * since one sender with a wrong clock would otherwise make every honest value look too old to count.
 */
export function takenAt(stat: Stat, now: { readonly mono: MonoMs; readonly wall: WallMs }): MonoMs {
  if (stat.timestamp === 0) return now.mono;
  const ageSeconds = Math.max(0, Math.floor(now.wall / 1_000) - stat.timestamp);
  return (now.mono - ageSeconds * 1_000) as MonoMs;
}

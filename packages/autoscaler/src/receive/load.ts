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

/** Every field zero or blank: says nothing and is not recorded. S-28. */
export function isEmptyStat(stat: Stat): boolean {
  return (
    stat.podName === "" &&
    stat.averageConcurrentRequests === 0 &&
    stat.averageProxiedConcurrentRequests === 0 &&
    stat.requestCount === 0 &&
    stat.proxiedRequestCount === 0 &&
    stat.processUptime === 0 &&
    stat.timestamp === 0
  );
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

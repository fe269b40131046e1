import type { Stat } from "@rouse/shared";
import type { PeriodReport } from "./request-stats.ts";

export interface StatIdentity {
  readonly podName: string;
  readonly uptimeMs: number;
  /**
   * How often reports are cut, by which arrivals are divided however late one comes: the next one is the shorter for it.
   * The whole seconds a report covers, unless told.
   */
  readonly periodMs?: number;
}

const SECOND_MS = 1_000;

/**
 * A period's report as the autoscaler reads it. Arrivals are divided by whole seconds, so that the tick that comes
 * late loses none; averages are as they are.
 */
export function statOf(report: PeriodReport, { podName, uptimeMs, periodMs }: StatIdentity): Stat {
  const periodSeconds =
    periodMs === undefined ? Math.max(1, Math.round(report.elapsedMs / SECOND_MS)) : periodMs / SECOND_MS;
  return {
    podName,
    averageConcurrentRequests: report.averageConcurrency,
    averageProxiedConcurrentRequests: report.averageProxiedConcurrency,
    requestCount: report.requestCount / periodSeconds,
    proxiedRequestCount: report.proxiedRequestCount / periodSeconds,
    processUptime: uptimeMs / SECOND_MS,
    timestamp: 0, // stamped by who receives it
  };
}

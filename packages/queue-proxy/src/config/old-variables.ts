import type { Observability } from "./observability.ts";

/**
 * What controllers of releases up to 1.18 say in variables of their own, heard where there is no `OBSERVABILITY_CONFIG`:
 * request log, profiling, and metrics for Prometheus under the names of that time. All others are ignored.
 */
export function withOldVariables(
  observability: Observability,
  read: (name: string) => string,
): { readonly observability: Observability; readonly hasOldMetrics: boolean } {
  const hasOldMetrics = read("SERVING_REQUEST_METRICS_BACKEND") === "prometheus";
  return {
    hasOldMetrics,
    observability: {
      ...observability,
      requestMetrics: hasOldMetrics
        ? { ...observability.requestMetrics, protocol: "prometheus" }
        : observability.requestMetrics,
      isProfiling: isTrue(read("ENABLE_PROFILING")),
      requestLogTemplate: read("SERVING_REQUEST_LOG_TEMPLATE") || observability.requestLogTemplate,
      logsRequests: isTrue(read("SERVING_ENABLE_REQUEST_LOG")),
      logsProbes: isTrue(read("SERVING_ENABLE_PROBE_REQUEST_LOG")),
    },
  };
}

/** Nothing said in these is worth a failed start. */
function isTrue(text: string): boolean {
  return text.toLowerCase() === "true" || text === "1";
}

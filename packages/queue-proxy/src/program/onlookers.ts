import type { Clock, Family, Layer, Logger, ProxyError } from "@rouse/shared";
import type { QueueProxyContext } from "../accept/context.ts";
import type { Config } from "../config.ts";
import { OldMetrics } from "../metrics/old-metrics.ts";
import { RequestMetrics } from "../metrics/request-metrics.ts";
import type { Onlookers } from "../options.ts";
import { TraceForward, TraceRequests, TraceWait } from "../trace/trace-requests.ts";
import type { Tracing } from "../trace/tracing.ts";
import { LogCancelled } from "./log-cancelled.ts";
import { requestLogOf } from "./request-log.ts";

export interface OnlookersDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly writeRequest: (line: string) => void;
  readonly queueDepth: () => number | undefined;
  /** Counters of the kernel's sockets, for the line about a failed request. */
  readonly sockstat: () => string;
  /** Whether the log takes lines for debugging. */
  readonly isDebugging: boolean;
}

/** The metrics that are asked for; without any, requests are not measured. */
export interface Metrics {
  readonly server: readonly Layer<QueueProxyContext>[];
  readonly admitted: readonly Layer<QueueProxyContext>[];
  readonly families: () => readonly Family[];
}

export function metricsOf(deps: Pick<OnlookersDeps, "clock" | "queueDepth">, config: Config): Metrics {
  const { clock, queueDepth } = deps;
  if (config.observability.requestMetrics.protocol === "none") {
    return { server: [], admitted: [], families: () => [] };
  }
  const current = new RequestMetrics(clock, { userPort: config.userPort, queueDepth });
  const old = config.hasOldMetrics
    ? new OldMetrics(clock, { ...config, ...identity(config), queueDepth })
    : undefined;
  return {
    server: old === undefined ? [current.server] : [current.server, old.server],
    admitted: old === undefined ? [current.invocation] : [current.invocation, old.app],
    families: () => [...current.families(), ...(old?.families() ?? [])],
  };
}

/** The layers that look on, in the order of §3: telemetry, then the request log; both see probes and pass over them. */
export function onlookersOf(
  { clock, log, writeRequest, sockstat, isDebugging }: OnlookersDeps,
  config: Config,
  { metrics, tracing }: { readonly metrics: Metrics; readonly tracing: Tracing | undefined },
): Onlookers {
  const { observability } = config;
  const requestLog = observability.logsRequests
    ? requestLogOf({ clock, log, write: writeRequest }, config)
    : undefined;
  return {
    outermost: [
      ...(tracing === undefined ? [] : [new TraceRequests(tracing)]),
      ...metrics.server,
      ...(requestLog === undefined ? [] : [requestLog]),
    ],
    waiting: tracing === undefined ? [] : [new TraceWait({ isLimited: config.containerConcurrency > 0 })],
    admitted: [
      ...metrics.admitted,
      ...(tracing === undefined ? [] : [new TraceForward()]),
      ...(isDebugging ? [new LogCancelled<QueueProxyContext>(log)] : []),
    ],
    failed: (error: ProxyError) =>
      log.error(`error reverse proxying request; sockstat: ${sockstat()}`, { error: error.message }),
  };
}

function identity({ revision, service, configuration, podName }: Config) {
  return { namespace: revision.namespace, revision: revision.name, service, configuration, podName };
}

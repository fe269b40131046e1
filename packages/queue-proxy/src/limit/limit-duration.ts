import {
  type Clock,
  type DurationLimits,
  type ExceededLimit,
  formatDuration,
  LimitDuration,
  type Logger,
  ProxyError,
  type TimerWheel,
  unreachable,
} from "@rouse/shared";
import { QueueProxyContext } from "../accept/context.ts";

/** The three limits of a request (§5): one that is exceeded is told to the log, and to metrics if the program had it. */
export function limitDuration(
  { clock, wheel, log }: { readonly clock: Clock; readonly wheel: TimerWheel; readonly log: Logger },
  limits: DurationLimits,
): LimitDuration<QueueProxyContext> {
  return new LimitDuration<QueueProxyContext>(
    { clock, wheel },
    {
      limitsOf: () => limits,
      message: "request timeout",
      exceeded: (exchange, limit) => {
        const { context, state } = exchange;
        if (context instanceof QueueProxyContext && state === "forwarding") {
          context.upstreamError = new ProxyError("request-timeout", "request timeout");
        }
        log.warn(timeoutText(limit, limits));
      },
    },
  );
}

/** The words of the reference's log, for which people search. Q-56. */
function timeoutText(limit: ExceededLimit, limits: DurationLimits): string {
  switch (limit) {
    case "total":
      return `Request timeout: ${formatDuration(limits.timeoutMs)}`;
    case "response-start":
      return `Response start timeout: ${formatDuration(limits.responseStartTimeoutMs)}`;
    case "idle":
      return `Idle timeout: ${formatDuration(limits.idleTimeoutMs)}`;
    default:
      return unreachable(limit);
  }
}

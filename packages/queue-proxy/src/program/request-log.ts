import { type Clock, type Logger, RequestLog, TemplateError } from "@rouse/shared";
import type { QueueProxyContext } from "../accept/context.ts";
import { isProbe } from "../accept/is-probe.ts";
import type { Config } from "../config.ts";
import { forwardedOf } from "../forward/forwarded.ts";

export interface RequestLogProgramDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly write: (line: string) => void;
}

/** `undefined` where nothing is to be written: no template, or one that cannot be used, which is logged. */
export function requestLogOf(
  { clock, log, write }: RequestLogProgramDeps,
  config: Pick<Config, "observability" | "revision" | "service" | "configuration" | "podName" | "podIp">,
): RequestLog<QueueProxyContext> | undefined {
  const { observability, revision, service, configuration, podName, podIp } = config;
  if (observability.requestLogTemplate === "") return undefined;
  const logged = { ...revision, service, configuration, podName, podIp };
  const requestLog = new RequestLog<QueueProxyContext>({
    clock,
    write,
    revisionOf: () => logged,
    forwardedOf,
    ...(observability.logsProbes ? {} : { isLeftOut: isProbe }),
  });
  try {
    requestLog.setTemplate(observability.requestLogTemplate);
    return requestLog;
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    log.error("Failed to parse the request log template; requests are not logged", { error: error.message });
    return undefined;
  }
}

import type {
  Clock,
  Exchange,
  ExchangeObserver,
  ExchangeOutcome,
  Handler,
  Layer,
  Logger,
} from "@rouse/shared";
import { isProbe } from "../accept/is-probe.ts";
import { forwardedOf } from "../forward/forwarded.ts";
import { type LogRecord, type LogRevision, templateData } from "./log-record.ts";
import { Template, TemplateError } from "./template/template.ts";

export interface RequestLogDeps {
  readonly clock: Clock;
  /** Takes one whole line. */
  readonly write: (line: string) => void;
}

export interface RequestLogOptions {
  readonly template: string;
  readonly logsProbes: boolean;
  readonly revision: LogRevision;
}

/**
 * One line per request when it is over, tunnels at their close. A client that left is written down as 499 and a cut
 * answer as 500 without a size, tunnels as 101 (Q-86, Q-144, Q-146, E-6).
 */
export class RequestLog<C> implements Layer<C>, ExchangeObserver<C> {
  readonly #deps: RequestLogDeps;
  readonly #options: RequestLogOptions;
  readonly #template: Template;

  private constructor(deps: RequestLogDeps, options: RequestLogOptions, template: Template) {
    this.#deps = deps;
    this.#options = options;
    this.#template = template;
  }

  /** `undefined` where nothing is to be written: no template, or one that cannot be used, which is logged. */
  static create<C>(
    deps: RequestLogDeps & { readonly log: Logger },
    options: RequestLogOptions,
  ): RequestLog<C> | undefined {
    if (options.template === "") return undefined;
    const text = options.template.endsWith("\n") ? options.template : `${options.template}\n`;
    try {
      return new RequestLog<C>(deps, options, Template.parse(text));
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      deps.log.error("Failed to parse the request log template; requests are not logged", {
        error: error.message,
      });
      return undefined;
    }
  }

  handle(exchange: Exchange<C>, next: Handler<C>): void {
    if (this.#options.logsProbes || !isProbe(exchange.request)) exchange.observe(this);
    next(exchange);
  }

  ended(exchange: Exchange<C>, outcome: ExchangeOutcome): void {
    const { request, client } = exchange;
    const record: LogRecord = {
      request,
      client,
      forwarded: forwardedOf(request),
      status: statusOf(exchange, outcome),
      size: outcome.kind === "aborted" || exchange.status === 101 ? 0 : exchange.responseBodyBytes,
      latencySeconds: (this.#deps.clock.now() - exchange.receivedAt) / 1_000,
    };
    this.#deps.write(this.#line(record));
  }

  #line(record: LogRecord): string {
    try {
      return this.#template.execute(templateData(record, this.#options.revision));
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      const { request, status, latencySeconds } = record;
      return `Invalid request log template: method: ${request.method}, response code: ${status}, latency: ${latencySeconds}, url: ${request.target}\n`;
    }
  }
}

/** What a request is put down as, in logs and metrics. */
export function statusOf(exchange: Exchange<unknown>, outcome: ExchangeOutcome): number {
  if (outcome.kind === "client-closed") return 499;
  return outcome.kind === "aborted" && exchange.status !== 101 ? 500 : exchange.status;
}

import type { Clock } from "../clock/clock.ts";
import type { Handler, Layer } from "../http/chain.ts";
import type { Exchange, ExchangeObserver, ExchangeOutcome, RequestHead } from "../http/exchange.ts";
import { outcomeStatus } from "../http/outcome-status.ts";
import { type LogRecord, type LogRevision, templateData } from "./log-record.ts";
import { Template, TemplateError } from "./template/template.ts";

export interface RequestLogDeps<C> {
  readonly clock: Clock;
  /** Takes one whole line. */
  readonly write: (line: string) => void;
  readonly revisionOf: (context: C) => LogRevision;
  /** Requests that are not written down; none unless told. */
  readonly isLeftOut?: (request: RequestHead) => boolean;
  /** What the program is given as `Forwarded`, where it is made from other fields. */
  readonly forwardedOf?: (request: RequestHead) => string | undefined;
}

/**
 * One line per request when it is over, tunnels at their close. A client that left is written down as 499 and a cut
 * answer as 500 without a size, tunnels as 101. Without a template nothing is written (Q-86, Q-144, Q-146, E-6, A-41).
 */
export class RequestLog<C> implements Layer<C>, ExchangeObserver<C> {
  readonly #deps: RequestLogDeps<C>;
  #template: Template | undefined;

  constructor(deps: RequestLogDeps<C>) {
    this.#deps = deps;
  }

  /** From now on; empty: nothing. @throws TemplateError for one that cannot be used, and the one before stays */
  setTemplate(text: string): void {
    this.#template = text === "" ? undefined : parseRequestLogTemplate(text);
  }

  handle(exchange: Exchange<C>, next: Handler<C>): void {
    if (this.#template !== undefined && this.#deps.isLeftOut?.(exchange.request) !== true)
      exchange.observe(this);
    next(exchange);
  }

  ended(exchange: Exchange<C>, outcome: ExchangeOutcome): void {
    if (this.#template === undefined) return; // switched off since
    const { request, client } = exchange;
    const { clock, forwardedOf, revisionOf, write } = this.#deps;
    const record: LogRecord = {
      request,
      client,
      forwarded: forwardedOf?.(request),
      status: outcomeStatus(exchange, outcome),
      size: outcome.kind === "aborted" || exchange.status === 101 ? 0 : exchange.responseBodyBytes,
      latencySeconds: (clock.now() - exchange.receivedAt) / 1_000,
    };
    write(line(this.#template, record, revisionOf(exchange.context)));
  }
}

/** Every line ends, whatever its template does. @throws TemplateError */
export function parseRequestLogTemplate(text: string): Template {
  return Template.parse(text.endsWith("\n") ? text : `${text}\n`);
}

/** What fails while it runs says what the request was. */
function line(template: Template, record: LogRecord, revision: LogRevision): string {
  try {
    return template.execute(templateData(record, revision));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const { request, status, latencySeconds } = record;
    return `Invalid request log template: method: ${request.method}, response code: ${status}, latency: ${latencySeconds}, url: ${request.target}\n`;
  }
}

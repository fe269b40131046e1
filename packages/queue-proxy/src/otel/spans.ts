import { type Context, type Span, SpanKind, type Tracer, trace } from "@opentelemetry/api";
import type { Exchange } from "@rouse/shared";
import {
  contextFields,
  endClientSpan,
  endServerSpan,
  type ServerSpan,
  spanMethod,
  startServerSpan,
} from "@rouse/shared/otel";
import type { RequestTrace } from "../trace/tracing.ts";

/** The spans of one request: server, within it the way through the proxy, within that the wait and the client. */
export class Spans implements RequestTrace {
  readonly #tracer: Tracer;
  readonly #method: string;
  readonly #server: ServerSpan;
  #proxy: Span | undefined;
  #wait: Span | undefined;
  #client: Span | undefined;
  #context: Context;

  constructor(tracer: Tracer, exchange: Exchange<unknown>, routeTag: string) {
    this.#tracer = tracer;
    this.#method = spanMethod(exchange.request.method);
    this.#server = startServerSpan(tracer, exchange, { "kn.route.tag": routeTag });
    this.#context = this.#server.context;
  }

  proxyStarted(): void {
    this.#proxy = this.#tracer.startSpan("kn.queueproxy.proxy", {}, this.#server.context);
    this.#context = trace.setSpan(this.#server.context, this.#proxy);
  }

  waitStarted(): void {
    this.#wait = this.#tracer.startSpan("kn.queueproxy.wait", {}, this.#context);
  }

  waitEnded(): void {
    this.#wait?.end();
    this.#wait = undefined;
  }

  forwarded(): Iterable<readonly [name: string, value: string]> {
    this.#client = this.#tracer.startSpan(`HTTP ${this.#method}`, { kind: SpanKind.CLIENT }, this.#context);
    return contextFields(trace.setSpan(this.#context, this.#client));
  }

  upstreamEnded(status: number, error: string | undefined): void {
    if (this.#client !== undefined) endClientSpan(this.#client, status, error);
    this.#client = undefined;
  }

  proxyEnded(): void {
    this.#proxy?.end();
    this.#proxy = undefined;
  }

  ended(status: number): void {
    endServerSpan(this.#server, status);
  }
}

import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { Exchange } from "@rouse/shared";
import { propagator, tracedMethods } from "@rouse/shared/otel";
import type { RequestTrace } from "../trace/tracing.ts";

/** The spans of one request: server, within it the way through the proxy, within that the wait and the client. */
export class Spans implements RequestTrace {
  readonly #tracer: Tracer;
  readonly #method: string;
  readonly #server: Span;
  readonly #serverContext: Context;
  #proxy: Span | undefined;
  #wait: Span | undefined;
  #client: Span | undefined;
  #context: Context;

  constructor(tracer: Tracer, exchange: Exchange<unknown>, routeTag: string) {
    const { request, client } = exchange;
    this.#tracer = tracer;
    this.#method = tracedMethods.has(request.method) ? request.method : "HTTP";
    const parent = propagator.extract(ROOT_CONTEXT, request, {
      get: (head, name) => head.get(name),
      keys: (head) => Array.from(head.entries(), ([name]) => name),
    });
    this.#server = tracer.startSpan(
      this.#method,
      {
        kind: SpanKind.SERVER,
        attributes: {
          "http.request.method": tracedMethods.has(request.method) ? request.method : "_OTHER",
          "url.scheme": client.isTls ? "https" : "http",
          "url.path": request.target.split("?", 1)[0] ?? "",
          "server.address": request.host,
          "client.address": client.ip,
          "network.protocol.version": request.version,
          "user_agent.original": request.get("User-Agent") ?? "",
          "kn.route.tag": routeTag,
        },
      },
      parent,
    );
    this.#serverContext = trace.setSpan(parent, this.#server);
    this.#context = this.#serverContext;
  }

  proxyStarted(): void {
    this.#proxy = this.#tracer.startSpan("kn.queueproxy.proxy", {}, this.#serverContext);
    this.#context = trace.setSpan(this.#serverContext, this.#proxy);
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
    const fields: [string, string][] = [];
    propagator.inject(trace.setSpan(this.#context, this.#client), fields, {
      set: (carrier, name, value) => carrier.push([name, value]),
    });
    return fields;
  }

  upstreamEnded(status: number, error: string | undefined): void {
    if (status > 0) this.#client?.setAttribute("http.response.status_code", status);
    if (error !== undefined) this.#client?.setStatus({ code: SpanStatusCode.ERROR, message: error });
    else if (status >= 400) this.#client?.setStatus({ code: SpanStatusCode.ERROR });
    this.#client?.end();
    this.#client = undefined;
  }

  proxyEnded(): void {
    this.#proxy?.end();
    this.#proxy = undefined;
  }

  ended(status: number): void {
    this.#server.setAttribute("http.response.status_code", status);
    if (status >= 500) this.#server.setStatus({ code: SpanStatusCode.ERROR });
    this.#server.end();
  }
}

import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import type { Exchange } from "../http/exchange.ts";
import { methodLabel } from "../metrics/request-labels.ts";

/** W3C trace context and baggage, in and out. */
const propagator = new CompositePropagator({
  propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
});

/** The span of a request as its server, and the context of what is to be within it. */
export interface ServerSpan {
  readonly span: Span;
  readonly context: Context;
}

/** Opens it within what the client says of its own trace. */
export function startServerSpan(
  tracer: Tracer,
  { request, client }: Exchange<unknown>,
  attributes: Attributes = {},
): ServerSpan {
  const parent = propagator.extract(ROOT_CONTEXT, request, {
    get: (head, name) => head.get(name),
    keys: (head) => Array.from(head.entries(), ([name]) => name),
  });
  const span = tracer.startSpan(
    spanMethod(request.method),
    {
      kind: SpanKind.SERVER,
      attributes: {
        "http.request.method": methodLabel(request.method),
        "url.scheme": client.isTls ? "https" : "http",
        "url.path": pathOf(request.target),
        "server.address": request.host,
        "client.address": client.ip,
        "network.protocol.version": request.version,
        "user_agent.original": request.get("User-Agent") ?? "",
        ...attributes,
      },
    },
    parent,
  );
  return { span, context: trace.setSpan(parent, span) };
}

export function endServerSpan({ span }: ServerSpan, status: number): void {
  span.setAttribute("http.response.status_code", status);
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** @param status 0 if there was no answer. @param error what went wrong, with an answer or without */
export function endClientSpan(span: Span, status: number, error?: string): void {
  if (status > 0) span.setAttribute("http.response.status_code", status);
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
  else if (status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** The fields that tell the next one of this context. */
export function contextFields(context: Context): readonly (readonly [name: string, value: string])[] {
  const fields: [string, string][] = [];
  propagator.inject(context, fields, { set: (carrier, name, value) => carrier.push([name, value]) });
  return fields;
}

/** A method as names of spans have it. */
export function spanMethod(method: string): string {
  const label = methodLabel(method);
  return label === "_OTHER" ? "HTTP" : label;
}

/** Without the query; an empty path is shown as `/`. */
export function pathOf(target: string): string {
  return target.split("?", 1)[0] || "/";
}

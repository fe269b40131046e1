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
import type { Exchange } from "@rouse/shared";
import { propagator, tracedMethods } from "@rouse/shared/otel";
import type { ActivatorContext } from "../accept/context.ts";
import { timedPhases } from "../report/time-cold-start.ts";
import type { RequestTrace } from "../trace/tracing.ts";

/**
 * The spans of one request: the server's; within it `throttler_try`, then beside that `activator_proxy` with the
 * client's inside. A-46
 */
export class Spans implements RequestTrace {
  readonly #tracer: Tracer;
  readonly #exchange: Exchange<ActivatorContext>;
  readonly #method: string;
  readonly #server: Span;
  readonly #context: Context;
  #try: Span | undefined;
  #proxy: Span | undefined;
  #client: Span | undefined;

  constructor(tracer: Tracer, exchange: Exchange<ActivatorContext>) {
    const { request, client } = exchange;
    this.#tracer = tracer;
    this.#exchange = exchange;
    const isKnown = tracedMethods.has(request.method);
    this.#method = isKnown ? request.method : "HTTP";
    const parent = propagator.extract(ROOT_CONTEXT, request, {
      get: (head, name) => head.get(name),
      keys: (head) => Array.from(head.entries(), ([name]) => name),
    });
    this.#server = tracer.startSpan(
      this.#method,
      {
        kind: SpanKind.SERVER,
        attributes: {
          "http.request.method": isKnown ? request.method : "_OTHER",
          "url.scheme": client.isTls ? "https" : "http",
          "url.path": pathOf(request.target),
          "server.address": request.host,
          "client.address": client.ip,
          "network.protocol.version": request.version,
          "user_agent.original": request.get("User-Agent") ?? "",
        },
      },
      parent,
    );
    this.#context = trace.setSpan(parent, this.#server);
  }

  tryStarted(): void {
    this.#try = this.#tracer.startSpan("throttler_try", {}, this.#context);
  }

  tryEnded(error?: string): void {
    if (error !== undefined) this.#try?.setStatus({ code: SpanStatusCode.ERROR, message: error });
    this.#try?.end();
    this.#try = undefined;
  }

  forwarded(): Iterable<readonly [name: string, value: string]> {
    this.#proxy = this.#tracer.startSpan("activator_proxy", {}, this.#context);
    const within = trace.setSpan(this.#context, this.#proxy);
    const name = `${this.#method} ${pathOf(this.#exchange.request.target)}`;
    this.#client = this.#tracer.startSpan(name, { kind: SpanKind.CLIENT }, within);
    const fields: [string, string][] = [];
    propagator.inject(trace.setSpan(within, this.#client), fields, {
      set: (carrier, field, value) => carrier.push([field, value]),
    });
    return fields;
  }

  podAnswered(result: number | string): void {
    const client = this.#client;
    if (typeof result === "number") client?.setAttribute("http.response.status_code", result);
    if (typeof result === "string") client?.setStatus({ code: SpanStatusCode.ERROR, message: result });
    else if (result >= 400) client?.setStatus({ code: SpanStatusCode.ERROR });
    client?.end();
    this.#proxy?.end();
    this.#client = undefined;
    this.#proxy = undefined;
  }

  ended(status: number): void {
    this.#server.setAttributes({ ...this.#revision(), ...this.#phases() });
    this.#server.setAttribute("http.response.status_code", status);
    if (status >= 500) this.#server.setStatus({ code: SpanStatusCode.ERROR });
    this.#server.end();
  }

  #revision(): Attributes {
    const target = this.#exchange.context.revision?.target;
    if (target === undefined) return {};
    return {
      "kn.service.name": target.service,
      "kn.configuration.name": target.configuration,
      "kn.revision.name": target.name,
      "k8s.namespace.name": target.namespace,
    };
  }

  /** What it waited for, in milliseconds, where it had to. */
  #phases(): Attributes {
    const { wasHeld, waitedMs } = this.#exchange.context;
    if (!wasHeld || waitedMs === undefined) return {};
    return Object.fromEntries(
      timedPhases.map((phase, index) => [`rouse.cold_start.${phase}_ms`, waitedMs[index] ?? 0]),
    );
  }
}

/** An empty path is shown as `/`. */
function pathOf(target: string): string {
  return target.split("?", 1)[0] || "/";
}

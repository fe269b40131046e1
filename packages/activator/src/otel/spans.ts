import { type Attributes, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import type { Exchange } from "@rouse/shared";
import {
  contextFields,
  endClientSpan,
  endServerSpan,
  pathOf,
  type ServerSpan,
  spanMethod,
  startServerSpan,
} from "@rouse/shared/otel";
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
  readonly #server: ServerSpan;
  #try: Span | undefined;
  #proxy: Span | undefined;
  #client: Span | undefined;

  constructor(tracer: Tracer, exchange: Exchange<ActivatorContext>) {
    this.#tracer = tracer;
    this.#exchange = exchange;
    this.#server = startServerSpan(tracer, exchange);
  }

  tryStarted(): void {
    this.#try = this.#tracer.startSpan("throttler_try", {}, this.#server.context);
  }

  tryEnded(error?: string): void {
    if (error !== undefined) this.#try?.setStatus({ code: SpanStatusCode.ERROR, message: error });
    this.#try?.end();
    this.#try = undefined;
  }

  forwarded(): Iterable<readonly [name: string, value: string]> {
    const { context } = this.#server;
    const { method, target } = this.#exchange.request;
    this.#proxy = this.#tracer.startSpan("activator_proxy", {}, context);
    const within = trace.setSpan(context, this.#proxy);
    const name = `${spanMethod(method)} ${pathOf(target)}`;
    this.#client = this.#tracer.startSpan(name, { kind: SpanKind.CLIENT }, within);
    return contextFields(trace.setSpan(within, this.#client));
  }

  podAnswered(result: number | string): void {
    if (this.#client !== undefined) {
      if (typeof result === "string") endClientSpan(this.#client, 0, result);
      else endClientSpan(this.#client, result);
    }
    this.#proxy?.end();
    this.#client = undefined;
    this.#proxy = undefined;
  }

  ended(status: number): void {
    this.#server.span.setAttributes({ ...this.#revision(), ...this.#phases() });
    endServerSpan(this.#server, status);
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

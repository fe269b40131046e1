import {
  type Exchange,
  type ExchangeObserver,
  type ExchangeOutcome,
  type Handler,
  type Layer,
  outcomeStatus,
} from "@rouse/shared";
import type { QueueProxyContext } from "../accept/context.ts";
import { isProbe } from "../accept/is-probe.ts";
import { routeTag } from "../metrics/route-tag.ts";
import type { Tracing } from "./tracing.ts";

type Traced = Exchange<QueueProxyContext>;

/** The span of each request that is no probe, from its head to its end. */
export class TraceRequests implements Layer<QueueProxyContext>, ExchangeObserver<QueueProxyContext> {
  readonly #tracing: Tracing;

  constructor(tracing: Tracing) {
    this.#tracing = tracing;
  }

  handle(exchange: Traced, next: Handler<QueueProxyContext>): void {
    if (!isProbe(exchange.request)) {
      exchange.context.trace = this.#tracing.begin(exchange, routeTag(exchange.request));
      exchange.observe(this);
    }
    next(exchange);
  }

  ended(exchange: Traced, outcome: ExchangeOutcome): void {
    exchange.context.trace?.ended(outcomeStatus(exchange, outcome));
  }
}

/** The spans of the breaker: the way through it, and within that the wait. */
export class TraceWait implements Layer<QueueProxyContext>, ExchangeObserver<QueueProxyContext> {
  readonly #isLimited: boolean;

  constructor(options: { readonly isLimited: boolean }) {
    this.#isLimited = options.isLimited;
  }

  handle(exchange: Traced, next: Handler<QueueProxyContext>): void {
    const { trace, isKubeletMarked } = exchange.context;
    if (trace !== undefined && !isKubeletMarked) {
      trace.proxyStarted();
      if (this.#isLimited) trace.waitStarted();
      exchange.observe(this);
    }
    next(exchange);
  }

  ended({ context: { trace } }: Traced): void {
    trace?.waitEnded(); // of one that was turned away, or left while waiting
    trace?.proxyEnded();
  }
}

/** The span of the program's answer, whose context the program is told. */
export class TraceForward implements Layer<QueueProxyContext>, ExchangeObserver<QueueProxyContext> {
  handle(exchange: Traced, next: Handler<QueueProxyContext>): void {
    const { trace } = exchange.context;
    if (trace !== undefined) {
      trace.waitEnded();
      for (const [name, value] of trace.forwarded()) exchange.setRequestHeader(name, value);
      exchange.observe(this);
    }
    next(exchange);
  }

  ended(exchange: Traced, outcome: ExchangeOutcome): void {
    const { upstreamError, trace } = exchange.context;
    const error = upstreamError ?? (outcome.kind === "aborted" ? outcome.error : undefined);
    trace?.upstreamEnded(upstreamError === undefined ? exchange.status : 0, error?.message);
  }
}

import type { Exchange, ExchangeObserver, ExchangeOutcome, Handler, Layer } from "@rouse/shared";
import { outcomeStatus } from "@rouse/shared";
import type { ActivatorContext } from "../accept/context.ts";
import type { Tracing } from "./tracing.ts";

type Traced = Exchange<ActivatorContext>;

/** The span of each request that is no probe, for whichever revision, from its head to its end. */
export class TraceRequests implements Layer<ActivatorContext>, ExchangeObserver<ActivatorContext> {
  readonly #tracing: Tracing;

  constructor(tracing: Tracing) {
    this.#tracing = tracing;
  }

  handle(exchange: Traced, next: Handler<ActivatorContext>): void {
    exchange.context.trace = this.#tracing.begin(exchange);
    exchange.observe(this);
    next(exchange);
  }

  ended(exchange: Traced, outcome: ExchangeOutcome): void {
    exchange.context.trace?.ended(outcomeStatus(exchange, outcome));
  }
}

/** The span of asking for a slot: to the slot, or to the failure. Stands in front of the throttle. */
export class TraceTry implements Layer<ActivatorContext>, ExchangeObserver<ActivatorContext> {
  handle(exchange: Traced, next: Handler<ActivatorContext>): void {
    exchange.context.trace?.tryStarted();
    exchange.observe(this);
    next(exchange);
  }

  ended(exchange: Traced, outcome: ExchangeOutcome): void {
    const { context, status } = exchange;
    const hasFailed = context.sentAt === undefined;
    context.trace?.tryEnded(hasFailed ? reasonOf(outcome, status) : undefined);
  }
}

/** The spans of an attempt at a pod, whose context the pod is told. Stands behind the throttle. */
export class TraceAttempt implements Layer<ActivatorContext>, ExchangeObserver<ActivatorContext> {
  handle(exchange: Traced, next: Handler<ActivatorContext>): void {
    const { context } = exchange;
    if (context.attempts === 1) exchange.observe(this);
    else context.trace?.podAnswered(context.podResult ?? "unknown"); // the attempt before
    context.trace?.tryEnded();
    for (const [name, value] of context.trace?.forwarded() ?? []) exchange.setRequestHeader(name, value);
    next(exchange);
  }

  ended({ context }: Traced, outcome: ExchangeOutcome): void {
    context.trace?.podAnswered(context.podResult ?? outcome.kind);
  }
}

function reasonOf(outcome: ExchangeOutcome, status: number): string {
  return outcome.kind === "completed" ? `answered with ${status}` : outcome.kind;
}

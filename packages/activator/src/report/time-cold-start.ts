import {
  assert,
  type Clock,
  type Endpoint,
  type Exchange,
  type ExchangeObserver,
  type Handler,
  type Layer,
} from "@rouse/shared";
import type { ActivatorContext } from "../accept/context.ts";
import type { Histogram } from "../metrics/histogram.ts";
import { type StartTimes, serverTiming, waitOf, waitPhases } from "./cold-start.ts";

/** How the pod behind an endpoint started, where somebody knows. */
export type ColdStarts = (endpoint: Endpoint) => StartTimes | undefined;

export interface TimeColdStartDeps {
  readonly clock: Clock;
  readonly coldStarts: ColdStarts;
  /** Seconds each phase took, in the order of `waitPhases`, and last from being sent to the first byte. */
  readonly histograms: readonly Histogram[];
}

/** `phase` of each histogram. */
export const timedPhases = [...waitPhases, "respond"] as const;

/**
 * Says what a request that was held waited for: in histograms, and where the revision has
 * `rouse.dev/server-timing: enabled` in its answer. Stands where a request goes to a pod. One that was not held costs a
 * comparison, unless its answer is to say so.
 */
export class TimeColdStart implements Layer<ActivatorContext>, ExchangeObserver<ActivatorContext> {
  readonly #deps: TimeColdStartDeps;

  constructor(deps: TimeColdStartDeps) {
    this.#deps = deps;
  }

  handle(exchange: Exchange<ActivatorContext>, next: Handler<ActivatorContext>): void {
    const { context } = exchange;
    const hasServerTiming = context.revision?.target.hasServerTiming === true;
    if (context.wasHeld || hasServerTiming) {
      const isFirst = context.sentAt === undefined;
      context.sentAt = this.#deps.clock.now();
      if (isFirst) {
        exchange.observe(this);
        // Of the first attempt: a field once added stays, and a repetition is rare.
        if (hasServerTiming)
          exchange.addResponseHeader("Server-Timing", serverTiming(this.#waitOf(exchange)));
      }
    }
    next(exchange);
  }

  responseStarted(exchange: Exchange<ActivatorContext>, status: number): void {
    const { context } = exchange;
    if (context.sentAt === undefined || context.tracker === undefined || !context.wasHeld) return;
    if (status < 200 && status !== 101) return;
    const respondMs = this.#deps.clock.now() - context.sentAt;
    for (const [index, tookMs] of [...this.#waitOf(exchange), respondMs].entries()) {
      this.#deps.histograms[index]?.observe(tookMs / 1_000);
    }
  }

  #waitOf({ receivedAt, context: { sentAt, tracker } }: Exchange<ActivatorContext>): readonly number[] {
    assert(sentAt !== undefined && tracker !== undefined, "timed before it was sent");
    return waitOf({ receivedAt, sentAt, pod: this.#deps.coldStarts(tracker.endpoint) });
  }
}

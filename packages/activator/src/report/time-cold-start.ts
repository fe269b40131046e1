import type { Clock, Endpoint, Exchange, ExchangeObserver, Handler, Layer } from "@rouse/shared";
import type { ActivatorContext } from "../accept/context.ts";
import { type StartTimes, serverTiming, waitOf, waitPhases } from "./cold-start.ts";

/** How the pod behind an endpoint started, where somebody knows. */
export type ColdStarts = (endpoint: Endpoint) => StartTimes | undefined;

export interface TimeColdStartDeps {
  readonly clock: Clock;
  readonly coldStarts: ColdStarts;
  /** Told of each request that was held, once its pod answers: milliseconds of each of `timedPhases`. */
  readonly coldStarted: (tookMs: readonly number[]) => void;
}

/** The wait, and last from being sent to the first byte of the answer. */
export const timedPhases = [...waitPhases, "respond"] as const;

/**
 * Says what a request that was held waited for: in histograms, in its span, and where the revision has
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
    if (!context.isTimed && (context.wasHeld || context.revision?.target.hasServerTiming === true)) {
      context.isTimed = true;
      exchange.observe(this);
    }
    next(exchange);
  }

  /** The head is about to go: all there is to say is known, the pod's answer included. */
  responseStarting(exchange: Exchange<ActivatorContext>): void {
    const { context, receivedAt } = exchange;
    const { sentAt, tracker } = context;
    if (sentAt === undefined || tracker === undefined) return; // not sent: the answer is our own
    const pod = this.#deps.coldStarts(tracker.endpoint);
    const tookMs = [...waitOf({ receivedAt, sentAt, pod }), this.#deps.clock.now() - sentAt];
    context.waitedMs = tookMs;
    if (context.wasHeld) this.#deps.coldStarted(tookMs);
    if (context.revision?.target.hasServerTiming === true) {
      exchange.addResponseHeader("Server-Timing", serverTiming(tookMs));
    }
  }
}

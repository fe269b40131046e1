import {
  assert,
  type Clock,
  type Exchange,
  type ExchangeObserver,
  type ForwardFailure,
  type ForwardFailureHandler,
  type Handler,
  type Layer,
  type Logger,
  type ProxyError,
} from "@rouse/shared";
import type { ActivatorContext, HeldExchange } from "../accept/context.ts";
import type { PodTracker } from "../balance/pod-tracker.ts";
import type { RevisionEntry } from "../resolve/revision-entry.ts";
import { HeldBytes, type HeldBytesLimits, headBytes, heldBytesLimits } from "./held-bytes.ts";
import { cannotStart, queueFull, waitedTooLong } from "./wait-errors.ts";

/** Attempts for one request. Each failed one leaves its pod out for 50 ms to 2 s, so this is about half a minute. */
const ATTEMPTS_MAX = 20;

export interface ThrottleDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What a revision whose requests wait is missing, for the text of a timeout. */
  readonly missing: (entry: RevisionEntry) => string;
  /** 64 MiB per revision and 256 MiB in all, unless told. */
  readonly heldBytesLimits?: HeldBytesLimits;
}

/**
 * Holds requests until a pod of their revision has a slot, then gives each its pod, oldest first. A request whose pod
 * could not be reached at all gets its old place back, and the pod is left out for a while: nothing is lost, however
 * the pods come and go. One that waits too long, or for a revision that cannot start, is told why.
 */
export class Throttle
  implements
    Layer<ActivatorContext>,
    ExchangeObserver<ActivatorContext>,
    ForwardFailureHandler<ActivatorContext>
{
  readonly #deps: ThrottleDeps;
  readonly #bytes: HeldBytes;
  #next: Handler<ActivatorContext> = () => {};

  constructor(deps: ThrottleDeps) {
    this.#deps = deps;
    this.#bytes = new HeldBytes(deps.heldBytesLimits ?? heldBytesLimits);
  }

  handle(exchange: HeldExchange, next: Handler<ActivatorContext>): void {
    this.#next = next; // the chain is built once, so it is the same for every exchange
    const entry = entryOf(exchange);
    exchange.observe(this);
    const tracker = entry.throttle.reserve();
    if (tracker !== undefined) {
      this.#run(exchange, tracker);
      return;
    }
    if (entry.failure !== undefined) {
      exchange.fail(cannotStart(entry.target, entry.failure));
      return;
    }
    if (this.#hold(exchange, entry)) this.#armWait(entry);
    else exchange.fail(queueFull());
  }

  responseStarted({ context }: HeldExchange, status: number): void {
    if (status >= 200 || status === 101) context.tracker?.responded();
  }

  ended(exchange: HeldExchange): void {
    const entry = entryOf(exchange);
    this.#leave(exchange, entry);
    this.pump(entry);
  }

  forwardFailed(exchange: HeldExchange, failure: ForwardFailure): void {
    const entry = entryOf(exchange);
    const { tracker } = exchange.context;
    if (!failure.isRetriable || exchange.context.attempts >= ATTEMPTS_MAX) {
      exchange.fail(failure.error);
      return;
    }
    if (tracker !== undefined) this.#eject(entry, tracker, failure.error);
    this.#leave(exchange, entry);
    // Full or not: it was let in before, and its head is in memory anyway.
    exchange.context.waiter = entry.throttle.holdAgain(
      exchange,
      (other) => other.receivedAt > exchange.receivedAt,
    );
    this.#armWait(entry);
    this.pump(entry);
  }

  /** Runs as many of those held as there are slots. To be called whenever there may be more. */
  pump(entry: RevisionEntry): void {
    for (let found = entry.throttle.next(); found !== undefined; found = entry.throttle.next()) {
      this.#noLongerHeld(found.item, entry);
      this.#run(found.item, found.tracker);
    }
    if (entry.throttle.held === 0) this.#disarmWait(entry);
  }

  /** Answers everyone who is held for the revision with `error`. */
  failHeld(entry: RevisionEntry, error: ProxyError): void {
    for (let item = entry.throttle.dismiss(); item !== undefined; item = entry.throttle.dismiss()) {
      this.#noLongerHeld(item, entry);
      item.fail(error);
    }
    this.#disarmWait(entry);
  }

  #run(exchange: HeldExchange, tracker: PodTracker): void {
    exchange.context.tracker = tracker;
    exchange.context.attempts++;
    this.#next(exchange);
  }

  /** Makes it wait. Returns whether there was room: for one more, and for its bytes. */
  #hold(exchange: HeldExchange, entry: RevisionEntry): boolean {
    const { context, request } = exchange;
    const bytes = headBytes(request);
    if (!this.#bytes.take(entry, bytes)) return false;
    context.heldBytes = bytes;
    context.waiter = entry.throttle.hold(exchange);
    if (context.waiter !== undefined) return true;
    this.#noLongerHeld(exchange, entry);
    return false;
  }

  #noLongerHeld({ context }: HeldExchange, entry: RevisionEntry): void {
    context.waiter = undefined;
    this.#bytes.giveBack(entry, context.heldBytes);
    context.heldBytes = 0;
  }

  /** Gives back its slot, or its place among those held. */
  #leave(exchange: HeldExchange, entry: RevisionEntry): void {
    const { tracker, waiter } = exchange.context;
    exchange.context.tracker = undefined;
    if (tracker !== undefined) entry.throttle.pods.release(tracker);
    if (waiter === undefined) return;
    entry.throttle.abandon(waiter);
    this.#noLongerHeld(exchange, entry);
  }

  #eject(entry: RevisionEntry, tracker: PodTracker, error: ProxyError): void {
    const { clock, log } = this.#deps;
    const ejectedMs = entry.throttle.pods.eject(tracker);
    if (ejectedMs === undefined) return;
    log.warn("pod could not be reached", {
      revision: entry.target.key,
      endpoint: tracker.endpoint,
      because: error.message,
      ejectedMs,
    });
    const timer = clock.after(ejectedMs, () => {
      entry.ejections.delete(timer);
      entry.throttle.pods.readmit(tracker);
      this.pump(entry);
    });
    entry.ejections.add(timer);
  }

  /** One timer per revision: the limit is the same for all that wait, so the oldest runs out first. */
  #armWait(entry: RevisionEntry): void {
    const { oldest } = entry.throttle;
    if (entry.waitTimer !== undefined || oldest === undefined) return;
    const { clock } = this.#deps;
    const restMs = oldest.receivedAt + entry.target.waitMs - clock.now();
    if (!Number.isFinite(restMs)) return;
    entry.waitTimer = clock.after(restMs, () => {
      entry.waitTimer = undefined;
      this.#expire(entry);
      this.#armWait(entry);
    });
  }

  #disarmWait(entry: RevisionEntry): void {
    entry.waitTimer?.[Symbol.dispose]();
    entry.waitTimer = undefined;
  }

  #expire(entry: RevisionEntry): void {
    const now = this.#deps.clock.now();
    for (let oldest = entry.throttle.oldest; oldest !== undefined; oldest = entry.throttle.oldest) {
      if (now - oldest.receivedAt < entry.target.waitMs) return;
      entry.throttle.dismiss();
      this.#noLongerHeld(oldest, entry);
      oldest.fail(waitedTooLong(entry.target, this.#deps.missing(entry)));
    }
  }
}

function entryOf({ context: { revision } }: Exchange<ActivatorContext>): RevisionEntry {
  assert(revision !== undefined, "a request was throttled before its revision was known");
  return revision;
}

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
  type ResponseHead,
} from "@rouse/shared";
import type { ActivatorContext, HeldExchange } from "../accept/context.ts";
import type { PodTracker } from "../balance/pod-tracker.ts";
import type { RevisionEntry } from "../resolve/revision-entry.ts";
import { Ejections } from "./ejections.ts";
import { HeldBytes, type HeldBytesLimits, headBytes, heldBytesLimits } from "./held-bytes.ts";
import { notStarted } from "./not-started.ts";
import { decideRetry, isRepeatable, maySendAgain } from "./retry.ts";
import { cannotStart, queueFull, waitedTooLong } from "./wait-errors.ts";

/** Requests that may be at pods at one time; each has two sockets. Beyond, revisions take turns. */
const IN_FLIGHT_MAX = 30_000;

export interface ThrottleDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What a revision whose requests wait is missing, for the text of a timeout. */
  readonly missing: (entry: RevisionEntry) => string;
  /** Told of each that comes to be held. */
  readonly heldGrew?: (entry: RevisionEntry) => void;
  /** 64 MiB per revision and 256 MiB in all, unless told. */
  readonly heldBytesLimits?: HeldBytesLimits;
  /** 30,000 unless told. */
  readonly inFlightMax?: number;
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
  readonly #ejections: Ejections;
  readonly #inFlightMax: number;
  #inFlight = 0;
  /** Revisions that had to stop for want of sockets, the one whose turn it is first. */
  readonly #inTurn = new Set<RevisionEntry>();
  #next: Handler<ActivatorContext> = () => {};

  constructor(deps: ThrottleDeps) {
    this.#deps = deps;
    this.#bytes = new HeldBytes(deps.heldBytesLimits ?? heldBytesLimits);
    this.#ejections = new Ejections({ ...deps, readmitted: (entry) => this.pump(entry) });
    this.#inFlightMax = deps.inFlightMax ?? IN_FLIGHT_MAX;
  }

  handle(exchange: HeldExchange, next: Handler<ActivatorContext>): void {
    this.#next = next; // the chain is built once, so it is the same for every exchange
    const entry = entryOf(exchange);
    exchange.observe(this);
    entry.retryBudget.earn();
    const tracker = this.#hasSockets ? entry.throttle.reserve() : undefined;
    if (tracker !== undefined) {
      this.#run(exchange, tracker);
      return;
    }
    if (entry.failure !== undefined) {
      exchange.fail(cannotStart(entry.target, entry.failure));
      return;
    }
    if (!this.#hold(exchange, entry)) {
      exchange.fail(queueFull());
      return;
    }
    this.#armWait(entry);
    this.#deps.heldGrew?.(entry);
    if (!this.#hasSockets) this.#inTurn.add(entry);
  }

  responseStarted(exchange: HeldExchange, status: number): void {
    const { tracker } = exchange.context;
    if (tracker === undefined || (status < 200 && status !== 101)) return;
    const entry = entryOf(exchange);
    this.#podAnswered(exchange, status);
    entry.throttle.pods.responded(tracker);
    if (entry.throttle.held > 0) this.pump(entry); // a ramp may have grown
  }

  ended(exchange: HeldExchange): void {
    const entry = entryOf(exchange);
    this.#leave(exchange, entry);
    this.pump(entry);
  }

  /** what a pod says goes through, but for what its queue-proxy says its program never got. */
  answerArrived(exchange: HeldExchange, answer: ResponseHead): ProxyError | undefined {
    const found = notStarted(answer);
    if (found === undefined) return undefined;
    const entry = entryOf(exchange);
    const { context } = exchange;
    const isAllowed = !entry.isGone && maySendAgain(found, { ...context, budget: entry.retryBudget });
    context.isProgramGone = isAllowed && found.isProgramGone;
    return isAllowed ? found.error : undefined;
  }

  forwardFailed(exchange: HeldExchange, failure: ForwardFailure): void {
    const entry = entryOf(exchange);
    const { context } = exchange;
    const { tracker, isProgramGone: evenLast } = context;
    const { error } = failure;
    this.#podAnswered(exchange, error.code);
    context.isProgramGone = false;
    const ejection =
      failure.isRetriable && tracker !== undefined
        ? this.#ejections.eject(entry, tracker, { error, evenLast })
        : "out";
    const retry = decideRetry({
      failure,
      attempts: context.attempts,
      isRepeatable: isRepeatable(exchange),
      ejection,
      budget: entry.retryBudget,
    });
    if (retry.kind === "never" || entry.isGone) {
      exchange.fail(error);
      return;
    }
    this.#leave(exchange, entry);
    if (retry.kind === "now") this.#holdAgain(exchange, entry);
    else {
      entry.retrying.add(exchange);
      context.retryTimer = this.#deps.clock.after(retry.afterMs, () => {
        this.#noLongerRetrying(exchange, entry);
        this.#holdAgain(exchange, entry);
        this.pump(entry);
      });
    }
    this.pump(entry);
  }

  /** Runs as many of those held as there are slots. To be called whenever there may be more. */
  pump(entry: RevisionEntry): void {
    if (this.#inTurn.size > 0) this.#pumpInTurn();
    while (this.#hasSockets && this.#runNext(entry));
    if (entry.throttle.held === 0) {
      this.#disarmWait(entry);
      this.#inTurn.delete(entry);
    } else if (!this.#hasSockets) this.#inTurn.add(entry);
  }

  /** Answers everyone who is held for the revision with `error`. */
  failHeld(entry: RevisionEntry, error: ProxyError): void {
    for (const item of [...entry.retrying]) item.fail(error);
    for (let item = entry.throttle.dismiss(); item !== undefined; item = entry.throttle.dismiss()) {
      this.#noLongerHeld(item, entry);
      item.fail(error);
    }
    this.#disarmWait(entry);
    this.#inTurn.delete(entry);
  }

  /** While sockets last for everyone, nobody takes turns. */
  get #hasSockets(): boolean {
    return this.#inFlight < this.#inFlightMax;
  }

  /** One request of each revision at a time, however many each has: the deficit round robin of equal requests. */
  #pumpInTurn(): void {
    while (this.#hasSockets) {
      const [entry] = this.#inTurn;
      if (entry === undefined) return;
      this.#inTurn.delete(entry);
      if (this.#runNext(entry)) this.#inTurn.add(entry); // behind the others; if not, its own pods call for it
    }
  }

  /** Runs the one that has waited longest, if there is a slot for it. */
  #runNext(entry: RevisionEntry): boolean {
    const found = entry.throttle.next();
    if (found === undefined) return false;
    this.#noLongerHeld(found.item, entry);
    this.#run(found.item, found.tracker);
    return true;
  }

  #run(exchange: HeldExchange, tracker: PodTracker): void {
    this.#inFlight++;
    const { context } = exchange;
    context.tracker = tracker;
    context.sentAt = this.#deps.clock.now();
    context.attempts++;
    this.#next(exchange);
  }

  #podAnswered({ context }: HeldExchange, result: number | string): void {
    context.podResult = result;
    if (context.sentAt !== undefined) context.podTookMs = this.#deps.clock.now() - context.sentAt;
    context.podAddress = context.tracker?.authority;
  }

  /** Makes it wait. Returns whether there was room: for one more, and for its bytes. */
  #hold(exchange: HeldExchange, entry: RevisionEntry): boolean {
    const { context, request } = exchange;
    const bytes = headBytes(request);
    if (!this.#bytes.take(entry, bytes)) return false;
    context.heldBytes = bytes;
    context.wasHeld = true;
    context.waiter = entry.throttle.hold(exchange);
    if (context.waiter !== undefined) return true;
    this.#noLongerHeld(exchange, entry);
    return false;
  }

  /** Full or not: it was let in before, and its head is in memory anyway. */
  #holdAgain(exchange: HeldExchange, entry: RevisionEntry): void {
    exchange.context.waiter = entry.throttle.holdAgain(
      exchange,
      (other) => other.receivedAt > exchange.receivedAt,
    );
    this.#disarmWait(entry); // it may have to be told sooner than those that were armed for
    this.#armWait(entry);
  }

  #noLongerRetrying(exchange: HeldExchange, entry: RevisionEntry): void {
    entry.retrying.delete(exchange);
    exchange.context.retryTimer?.[Symbol.dispose]();
    exchange.context.retryTimer = undefined;
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
    if (exchange.context.retryTimer !== undefined) this.#noLongerRetrying(exchange, entry);
    if (tracker !== undefined) {
      entry.throttle.pods.release(tracker);
      this.#inFlight--;
    }
    if (waiter === undefined) return;
    entry.throttle.abandon(waiter);
    this.#noLongerHeld(exchange, entry);
  }

  /** One timer per revision: the limit is the same for all that wait, so the oldest runs out first. */
  #armWait(entry: RevisionEntry): void {
    const { oldest } = entry.throttle;
    if (entry.waitTimer !== undefined || oldest === undefined) return;
    const { clock } = this.#deps;
    const restMs = oldest.receivedAt + entry.target.waitMs - clock.now();
    if (!Number.isFinite(restMs)) return;
    entry.waitTimer = clock.after(Math.max(0, restMs), () => {
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

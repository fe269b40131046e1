import type { MonoMs } from "../clock/clock.ts";
import { ProxyError } from "../errors/proxy-error.ts";
import { assert } from "../invariant.ts";
import { errorResponse } from "./error-response.ts";
import type {
  ClientPeer,
  Exchange,
  ExchangeObserver,
  ExchangeOutcome,
  ExchangeState,
  ForwardFailure,
  ForwardFailureHandler,
  LocalResponse,
  RequestHead,
  ResponseHead,
  Upstream,
} from "./exchange.ts";
import { HeaderEdits } from "./header-edits.ts";

const COMPLETED: ExchangeOutcome = { kind: "completed" };
const CLIENT_CLOSED: ExchangeOutcome = { kind: "client-closed" };

/**
 * What exchanges of both protocols share: state, observers, edits, and the single end. A subclass moves the bytes; it
 * hears of the end by `released`, once.
 */
export abstract class ExchangeBase<C> implements Exchange<C> {
  readonly request: RequestHead;
  readonly client: ClientPeer;
  readonly context: C;
  readonly receivedAt: MonoMs;
  state: ExchangeState = "received";
  status = 0;
  requestBodyBytes = 0;
  responseBodyBytes = 0;
  protected requestEdits: HeaderEdits | undefined;
  protected responseEdits: HeaderEdits | undefined;
  protected failureHandler: ForwardFailureHandler<C> | undefined;
  protected closesAfterResponse = false;
  #observers: ExchangeObserver<C>[] | undefined;
  /** One of the observers wants to see the head before it goes. */
  #isStartingObserved = false;

  constructor(request: RequestHead, client: ClientPeer, context: C, receivedAt: MonoMs) {
    this.request = request;
    this.client = client;
    this.context = context;
    this.receivedAt = receivedAt;
  }

  /** Sends an answer of our own; the upstream, if any, has been let go. */
  protected abstract sendLocal(response: LocalResponse): void;
  /** Starts an attempt at `upstream`. */
  protected abstract attempt(upstream: Upstream): void;
  /** Lets the upstream side go, whatever it is doing. */
  protected abstract dropUpstream(): void;
  /** Cuts the client side, so that the client cannot take what it got for whole. */
  protected abstract cutClient(): void;

  setRequestHeader(name: string, value: string): void {
    this.requestEdits ??= new HeaderEdits();
    this.requestEdits.set(name, value);
  }

  addRequestHeader(name: string, value: string): void {
    this.requestEdits ??= new HeaderEdits();
    this.requestEdits.add(name, value);
  }

  removeRequestHeader(name: string): void {
    this.requestEdits ??= new HeaderEdits();
    this.requestEdits.remove(name);
  }

  addResponseHeader(name: string, value: string): void {
    this.responseEdits ??= new HeaderEdits();
    this.responseEdits.add(name, value);
  }

  setResponseHeader(name: string, value: string): void {
    this.responseEdits ??= new HeaderEdits();
    this.responseEdits.set(name, value);
  }

  removeResponseHeader(name: string): void {
    this.responseEdits ??= new HeaderEdits();
    this.responseEdits.remove(name);
  }

  closeAfterResponse(): void {
    this.closesAfterResponse = true;
  }

  observe(observer: ExchangeObserver<C>): void {
    if (observer.responseStarting !== undefined) this.#isStartingObserved = true;
    if (this.#observers === undefined) this.#observers = [observer];
    else this.#observers.push(observer);
  }

  respond(response: LocalResponse): void {
    if (this.state === "ended") return; // the client left while someone held it
    assert(this.status === 0, "respond after a response");
    this.dropUpstream();
    this.sendLocal(response);
  }

  forward(upstream: Upstream, onFailure?: ForwardFailureHandler<C>): void {
    if (this.state === "ended") return;
    assert(this.state === "received", "forward of an exchange that is under way");
    this.state = "forwarding";
    this.failureHandler = onFailure;
    this.attempt(upstream);
  }

  fail(error: ProxyError): void {
    if (this.state === "ended") return;
    if (this.status !== 0 || error.code === "client-closed") this.abort(error);
    else this.respond(errorResponse(error));
  }

  abort(error: ProxyError): void {
    if (this.state === "ended") return;
    this.dropUpstream();
    this.cutClient();
    this.end(error.code === "client-closed" ? CLIENT_CLOSED : { kind: "aborted", error });
  }

  /** The client is gone: nothing more is sent, and what the exchange held is freed at once. Q-39. */
  clientLeft(): void {
    if (this.state === "ended") return;
    this.dropUpstream();
    this.end(CLIENT_CLOSED);
  }

  /** The attempt failed before any byte of an answer; whoever forwarded it decides what happens now. */
  protected attemptFailed(failure: ForwardFailure): void {
    if (this.state === "ended") return;
    const handler = this.failureHandler;
    this.failureHandler = undefined;
    if (handler === undefined) {
      this.fail(failure.error);
      return;
    }
    this.state = "received";
    handler.forwardFailed(this, failure);
  }

  /** Whether anyone wants to see answers before they are relayed. */
  protected get isAnswerAwaited(): boolean {
    return this.failureHandler?.answerArrived !== undefined;
  }

  /** Shows an answer to who awaits it. `true`: it is not wanted, the attempt has failed, and all of it is dealt with. */
  protected discards(answer: ResponseHead): boolean {
    const error = this.failureHandler?.answerArrived?.(this, answer);
    if (error === undefined) return false;
    this.dropUpstream();
    this.attemptFailed({ error, isRetriable: true });
    return true;
  }

  protected completed(): void {
    this.end(COMPLETED);
  }

  protected end(outcome: ExchangeOutcome): void {
    assert(this.state !== "ended", "an exchange ended twice");
    this.state = "ended";
    const observers = this.#observers;
    if (observers === undefined) return;
    // As the first layer sees the request first and its end last.
    for (let index = observers.length - 1; index >= 0; index--) observers[index]?.ended?.(this, outcome);
  }

  protected tellStarting(status: number): void {
    if (!this.#isStartingObserved || this.#observers === undefined) return;
    for (const observer of this.#observers) observer.responseStarting?.(this, status);
  }

  protected tellStarted(status: number): void {
    const observers = this.#observers;
    if (observers === undefined) return;
    for (const observer of observers) observer.responseStarted?.(this, status);
  }

  protected tellProgressed(bytes: number): void {
    const observers = this.#observers;
    if (observers === undefined) return;
    for (const observer of observers) observer.responseProgressed?.(this, bytes);
  }
}

/** What an exchange is aborted with when its client has left. */
export function clientClosed(): ProxyError {
  return new ProxyError("client-closed", "client closed the connection");
}

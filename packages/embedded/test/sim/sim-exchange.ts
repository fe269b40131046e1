import {
  type ClientPeer,
  type LocalResponse,
  type MonoMs,
  ProxyError,
  type RequestHead,
  type Upstream,
} from "@rouse/shared";
import { ExchangeBase } from "@rouse/shared/testing";
import { SimHead } from "./sim-head.ts";
import type { Caller } from "./sim-listener.ts";

export interface Call {
  /** The caller is gone; nothing more is told. */
  drop(): void;
}

/** Sends a request on. */
export type Send = (to: Upstream, head: RequestHead, caller: Caller) => Call;

export interface Setting<C> {
  readonly peer: ClientPeer;
  readonly context: C;
  readonly now: MonoMs;
  readonly caller: Caller;
}

/** One hop of a request. */
export class SimExchange<C> extends ExchangeBase<C> implements Caller {
  readonly #send: Send;
  readonly #caller: Caller;
  readonly #outgoing: Map<string, string>;
  #call: Call | undefined;
  #text = "";

  constructor(send: Send, head: RequestHead, { peer, context, now, caller }: Setting<C>) {
    super(head, peer, context, now);
    this.#send = send;
    this.#caller = caller;
    this.#outgoing = new Map([...head.entries()].map(([name, value]) => [name.toLowerCase(), value]));
  }

  override setRequestHeader(name: string, value: string): void {
    this.#outgoing.set(name.toLowerCase(), value);
  }

  override addRequestHeader(name: string, value: string): void {
    this.setRequestHeader(name, value);
  }

  override removeRequestHeader(name: string): void {
    this.#outgoing.delete(name.toLowerCase());
  }

  refused(error: ProxyError): void {
    this.#call = undefined;
    this.attemptFailed({ error, isRetriable: true });
  }

  answered(status: number, text: string): void {
    this.#begin(status, text);
  }

  finished(): void {
    this.#call = undefined;
    this.#finish();
  }

  cut(): void {
    this.#call = undefined;
    const error = new ProxyError("upstream-closed", "EOF");
    if (this.status === 0) this.attemptFailed({ error, isRetriable: false });
    else this.abort(error);
  }

  /** The program that had it is gone. */
  serverGone(): void {
    if (this.state === "ended") return;
    this.#caller.cut();
    this.clientLeft();
  }

  protected override sendLocal({ status, body = "" }: LocalResponse): void {
    this.#begin(status, typeof body === "string" ? body : "");
    this.#finish();
  }

  protected override attempt(upstream: Upstream): void {
    this.#call = this.#send(upstream, new SimHead(new Map(this.#outgoing)), this);
  }

  protected override dropUpstream(): void {
    this.#call?.drop();
    this.#call = undefined;
  }

  protected override cutClient(): void {
    this.#caller.cut();
  }

  #begin(status: number, text: string): void {
    this.status = status;
    this.state = "responding";
    this.#text = text;
    this.tellStarted(status);
    this.#caller.answered(status, this.#text);
  }

  #finish(): void {
    this.#caller.finished();
    this.completed();
  }
}

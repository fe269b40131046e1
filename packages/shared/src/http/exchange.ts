import type { MonoMs } from "../clock/clock.ts";
import type { ProxyError } from "../errors/proxy-error.ts";

export type HttpVersion = "1.0" | "1.1" | "2.0";

/**
 * Read side of a message head. Names compare without case; values are latin-1 text, so that any byte survives.
 * Nothing is turned into a string before someone asks for it.
 */
export interface HeadFields {
  /** First value of the field, trimmed of white space around it; `undefined` if it is absent. */
  get(name: string): string | undefined;
  has(name: string): boolean;
  /** Every value of the field, in order. */
  all(name: string): readonly string[];
  /** Every field in order, for logs and copies; allocates. */
  entries(): IterableIterator<readonly [name: string, value: string]>;
}

export interface RequestHead extends HeadFields {
  readonly method: string;
  /** Request target as it came, in origin form (`/path?query`) or `*`. Absolute form is taken apart: RFC 9112 §3.2.2. */
  readonly target: string;
  /** The authority the client asked for: `Host`, `:authority`, or that of an absolute target. */
  readonly host: string;
  readonly version: HttpVersion;
}

/** A final response head as an upstream sent it. */
export interface ResponseHead extends HeadFields {
  readonly status: number;
}

/** Who is on the other side of the client connection. */
export interface ClientPeer {
  readonly ip: string;
  readonly port: number;
  readonly isTls: boolean;
}

/**
 * Where an exchange is. `received`: nobody has decided yet; its body, if any, stays in the kernel. `forwarding`: given
 * to an upstream, no response head yet. `responding`: the final head is on its way to the client. `tunnelled`: after
 * a 101, bytes only. `ended`: over, observers have been told.
 */
export type ExchangeState = "received" | "forwarding" | "responding" | "tunnelled" | "ended";

/** How an exchange ended. */
export type ExchangeOutcome =
  /** The whole response went out. */
  | { readonly kind: "completed" }
  /** The client left first. */
  | { readonly kind: "client-closed" }
  /** Ended by us or the upstream after the response head had gone out, so the client saw it cut. */
  | { readonly kind: "aborted"; readonly error: ProxyError };

/**
 * Told of an exchange's progress. One long-lived object per layer, not one per request: what a layer must remember
 * about one exchange lives in the exchange's `context`.
 */
export interface ExchangeObserver<C = unknown> {
  /**
   * The final response head, or a 101, is about to be written: the last moment to change its headers or to ask for the
   * connection's end. Nothing else may be done to the exchange here.
   */
  responseStarting?(exchange: Exchange<C>, status: number): void;
  /** A status line went to the client, 1xx included. */
  responseStarted?(exchange: Exchange<C>, status: number): void;
  /** Body bytes went to the client, or tunnel bytes either way. */
  responseProgressed?(exchange: Exchange<C>, bytes: number): void;
  /** Exactly once, however it ends. */
  ended?(exchange: Exchange<C>, outcome: ExchangeOutcome): void;
}

/** An answer of our own. */
export interface LocalResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text goes out as UTF-8. */
  readonly body?: string | Uint8Array;
}

/** An upstream attempt that failed before the client saw anything of its answer. */
export interface ForwardFailure {
  readonly error: ProxyError;
  /** The upstream has not begun with the request and its body is untouched: another endpoint may be tried. */
  readonly isRetriable: boolean;
}

/** Decides what becomes of a failed attempt: forward again, or `exchange.fail(failure.error)`. One long-lived object. */
export interface ForwardFailureHandler<C = unknown> {
  forwardFailed(exchange: Exchange<C>, failure: ForwardFailure): void;
  /**
   * The upstream's final head is here and the client has seen nothing of it. Asked only while the request could be sent
   * again, so never once its body has begun to flow. An error discards the answer: the attempt has failed by it, and is
   * retriable. The exchange itself is not to be touched here.
   */
  answerArrived?(exchange: Exchange<C>, answer: ResponseHead): ProxyError | undefined;
}

/** Connections to one endpoint; made by `UpstreamPool.start`. What `forward` takes. */
export interface Upstream {
  readonly ip: string;
  readonly port: number;
}

/**
 * One request and its response, with a life of its own. A layer may hold it, for as long as it likes, by keeping it
 * and not calling on; then continue it by `next`, or answer it. While held it costs its head: the socket is paused.
 *
 * `C` is the program's own typed context, made by the server for each exchange.
 */
export interface Exchange<C = unknown> {
  readonly request: RequestHead;
  readonly client: ClientPeer;
  readonly context: C;
  readonly receivedAt: MonoMs;
  readonly state: ExchangeState;
  /** Status of the final response head sent to the client; 0 before. */
  readonly status: number;
  readonly requestBodyBytes: number;
  readonly responseBodyBytes: number;

  /** Changes what is sent upstream: replaces every field of that name. `Host` sets the authority. */
  setRequestHeader(name: string, value: string): void;
  /** Adds a field upstream beside any of that name. */
  addRequestHeader(name: string, value: string): void;
  removeRequestHeader(name: string): void;
  /** Adds a field to the final response head. */
  addResponseHeader(name: string, value: string): void;
  /** Replaces every field of that name in the final response head. Not for framing or `Connection`. */
  setResponseHeader(name: string, value: string): void;
  removeResponseHeader(name: string): void;
  /** The client's connection takes no request after this one: `Connection: close`. HTTP/2 has GOAWAY for that, at drain. */
  closeAfterResponse(): void;

  observe(observer: ExchangeObserver<C>): void;

  /** Answers it here. A body not yet read is drained or the connection closed: the client's choice of framing stays safe. */
  respond(response: LocalResponse): void;
  /** Sends it on. Hop-by-hop fields go, the peer is added to `X-Forwarded-For`. */
  forward(upstream: Upstream, onFailure?: ForwardFailureHandler<C>): void;
  /** Answers with the error's status and text if the client has seen nothing yet, and aborts otherwise. */
  fail(error: ProxyError): void;
  /** Ends it at once, both sides. The client sees a cut connection, never a clean end. */
  abort(error: ProxyError): void;
}

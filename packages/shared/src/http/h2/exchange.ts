import type { ClientHttp2Stream, ServerHttp2Stream } from "node:http2";
import type { MonoMs } from "../../clock/clock.ts";
import { ProxyError } from "../../errors/proxy-error.ts";
import { assert } from "../../invariant.ts";
import type { Handler } from "../chain.ts";
import type { ClientPeer, LocalResponse, Upstream } from "../exchange.ts";
import { ExchangeBase } from "../exchange-base.ts";
import type { ServerCore } from "../server-core.ts";
import { upstreamError } from "../upstream-error.ts";
import { UpstreamPool } from "../upstream-pool.ts";
import { headersOf, isGrpc, requestHeaders, responseHeaders, statusOf } from "./headers.ts";
import { respond, sendTrailers } from "./library.ts";
import type { Http2RequestHead } from "./request-head.ts";
import type { ResetBudget } from "./reset-budget.ts";
import { Http2ResponseHead } from "./response-head.ts";
import { isCut, streamError } from "./stream-error.ts";
import type { SessionTaker, UpstreamSession } from "./upstream-sessions.ts";

/** RFC 9113 §7. */
const NO_ERROR = 0;
const INTERNAL_ERROR = 2;
const REFUSED_STREAM = 7;
const CANCEL = 8;
const END_STREAM_FLAG = 1;
/** A status of gRPC. */
const DEADLINE_EXCEEDED = "4";

/** One stream of a client and its answer, between that stream and one of an upstream. */
export class Http2Exchange<C> extends ExchangeBase<C> implements SessionTaker {
  readonly #stream: ServerHttp2Stream;
  readonly #head: Http2RequestHead;
  readonly #core: ServerCore<C>;
  readonly #resets: ResetBudget;
  readonly #forwardedFor: string | undefined;
  readonly #hasBody: boolean;
  #pool: UpstreamPool | undefined;
  #isWaiting = false;
  #upstream: ClientHttp2Stream | undefined;
  #isBodyTaken = false;
  #isRequestDone: boolean;
  #isAnswerDone = false;
  /** The answer that is on its way is one of gRPC. */
  #isGrpc = false;
  #requestTrailers: readonly string[] | undefined;
  #responseTrailers: readonly string[] | undefined;

  constructor(
    stream: ServerHttp2Stream,
    how: {
      readonly hasBody: boolean;
      readonly forwardedFor: string | undefined;
      readonly core: ServerCore<C>;
      readonly resets: ResetBudget;
    },
    of: {
      readonly head: Http2RequestHead;
      readonly client: ClientPeer;
      readonly context: C;
      readonly receivedAt: MonoMs;
    },
  ) {
    super(of.head, of.client, of.context, of.receivedAt);
    this.#stream = stream;
    this.#head = of.head;
    this.#core = how.core;
    this.#resets = how.resets;
    this.#forwardedFor = how.forwardedFor;
    this.#hasBody = how.hasBody;
    this.#isRequestDone = !how.hasBody;
    stream.on("error", ignore); // a close follows
    if (how.hasBody) {
      stream.on("trailers", (_trailers, _flags, raw: readonly string[]) => {
        this.#requestTrailers = raw;
      });
    }
    stream.on("close", () => this.#clientClosed());
  }

  /** Gives it to the server's handler. */
  run(handler: Handler<C>): void {
    this.#core.exchangeStarted();
    try {
      if (this.#head.method === "CONNECT") {
        this.fail(new ProxyError("upstream-malformed", "client sent unsupported CONNECT request"));
      } else handler(this);
    } catch (error) {
      this.#core.handlerThrew(error);
      this.abort(new ProxyError("upstream-closed", "internal error", { cause: error }));
    }
  }

  /**
   * A gRPC stream whose deadline passes ends with the status for it, which its client reads as such; anything else is
   * cut. Q-59. One whose client takes nothing is cut as well.
   */
  override abort(error: ProxyError): void {
    const stream = this.#stream;
    const mayEnd = this.state === "responding" && !this.#isAnswerDone && stream.writableLength === 0;
    if (error.code !== "request-timeout" || !mayEnd || !this.#isGrpc || stream.closed) {
      super.abort(error);
      return;
    }
    this.dropUpstream();
    this.#isAnswerDone = true;
    this.#responseTrailers = ["grpc-status", DEADLINE_EXCEEDED, "grpc-message", error.message];
    this.#closeWhenSent();
    stream.end();
    this.end({ kind: "aborted", error });
  }

  sessionReady(session: UpstreamSession): void {
    this.#isWaiting = false;
    this.#send(session);
  }

  sessionFailed(error: ProxyError): void {
    this.#isWaiting = false;
    this.attemptFailed({ error, isRetriable: !this.#isBodyTaken });
  }

  protected override end(outcome: Parameters<ExchangeBase<C>["end"]>[0]): void {
    super.end(outcome);
    this.#core.exchangeEnded();
  }

  protected sendLocal(response: LocalResponse): void {
    const body = response.body ?? "";
    const hasBody =
      body.length > 0 && this.#head.method !== "HEAD" && response.status !== 204 && response.status !== 304;
    this.tellStarting(response.status);
    this.state = "responding";
    this.status = response.status;
    const raw = [":status", String(response.status)];
    for (const name in response.headers) raw.push(name.toLowerCase(), response.headers[name] ?? "");
    if (response.status !== 204 && response.status !== 304)
      raw.push("content-length", String(Buffer.byteLength(body)));
    this.responseBodyBytes = hasBody ? Buffer.byteLength(body) : 0;
    this.#isAnswerDone = true;
    if (!this.#stream.destroyed && !this.#stream.closed) {
      respond(this.#stream, responseHeaders(raw, this.responseEdits), { endStream: !hasBody });
      this.#closeWhenSent();
      if (hasBody) this.#stream.end(body);
    }
    this.tellStarted(response.status);
    if (hasBody) this.tellProgressed(this.responseBodyBytes);
    this.completed();
  }

  protected attempt(upstream: Upstream): void {
    assert(upstream instanceof UpstreamPool, "an upstream is an UpstreamPool");
    this.#pool = upstream;
    if (this.#isBodyTaken) {
      this.fail(new ProxyError("upstream-closed", "the request body has been sent already"));
      return;
    }
    this.#isWaiting = true;
    const session = upstream.sessions.take(this);
    if (session === undefined) return;
    this.#isWaiting = false;
    this.#send(session);
  }

  protected dropUpstream(): void {
    if (this.#isWaiting) this.#pool?.sessions.giveUp(this);
    this.#isWaiting = false;
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (upstream !== undefined && !upstream.closed) upstream.close(CANCEL);
    this.#stopBody();
  }

  protected cutClient(): void {
    if (!this.#stream.closed) this.#stream.close(INTERNAL_ERROR);
  }

  #send(session: UpstreamSession): void {
    let upstream: ClientHttp2Stream;
    try {
      const headers = requestHeaders(this.#head, this.requestEdits, {
        forwardedFor: this.#forwardedFor,
        scheme: this.#pool?.scheme ?? "http",
      });
      upstream = session.request(headers, { isWhole: !this.#hasBody });
    } catch (cause) {
      // Node refuses what it calls single-valued fields twice, for one.
      const text = cause instanceof Error ? cause.message : String(cause);
      this.fail(new ProxyError("bad-request", `400 Bad Request: ${text}`, { cause }));
      return;
    }
    this.#upstream = upstream;
    upstream.on("headers", (_headers, _flags, raw: readonly string[]) => this.#interim(upstream, raw));
    upstream.on("response", (_headers, flags, raw: readonly string[]) => this.#final(upstream, flags, raw));
    upstream.on("trailers", (_trailers, _flags, raw: readonly string[]) => {
      this.#responseTrailers = raw;
    });
    let cause: Error | undefined;
    upstream.on("error", (error: Error) => {
      cause = error;
    });
    upstream.on("close", () => {
      session.streamClosed();
      if (this.#upstream === upstream) this.#upstreamClosed(upstream, session, cause);
    });
    if (this.#hasBody) this.#pumpRequest(upstream);
  }

  #pumpRequest(upstream: ClientHttp2Stream): void {
    const stream = this.#stream;
    upstream.on("wantTrailers", () => sendTrailers(upstream, this.#requestTrailers));
    stream.on("data", (bytes: Buffer) => {
      this.#isBodyTaken = true;
      this.requestBodyBytes += bytes.length;
      if (upstream.closed || upstream.write(bytes)) return;
      stream.pause();
      upstream.once("drain", () => stream.resume());
    });
    stream.on("end", () => {
      if (this.#upstream !== upstream) return; // another attempt has it
      this.#isRequestDone = true;
      if (!upstream.closed) upstream.end();
    });
    stream.resume();
  }

  /** What its client sends from now on stays where it is, until someone else takes it. */
  #stopBody(): void {
    if (!this.#hasBody) return;
    this.#stream.removeAllListeners("data");
    this.#stream.pause();
  }

  #interim(upstream: ClientHttp2Stream, raw: readonly string[]): void {
    if (this.#upstream !== upstream || this.#stream.closed || this.#stream.headersSent) return;
    const status = statusOf(raw);
    if (status === 101) return; // means nothing in HTTP/2; Node would refuse to send it
    try {
      this.#stream.additionalHeaders(headersOf(responseHeaders(raw, undefined)));
    } catch {
      return; // one that Node takes from nobody; the final answer says what is wrong
    }
    this.tellStarted(status);
  }

  #final(upstream: ClientHttp2Stream, flags: number, raw: readonly string[]): void {
    if (this.#upstream !== upstream) return;
    if (this.#stream.destroyed || this.#stream.closed) return; // its close is on its way
    if (this.isAnswerAwaited && !this.#isBodyTaken && this.discards(new Http2ResponseHead(raw))) return;
    if ((flags & END_STREAM_FLAG) !== 0) {
      if (this.#respond(raw, { endStream: true })) this.#answered();
      return;
    }
    if (!this.#respond(raw, { waitForTrailers: true })) return;
    upstream.on("data", (bytes: Buffer) => this.#writeAnswer(upstream, bytes));
    upstream.on("end", () => {
      // A reset ends the readable side as well; only a real end is one for the client. Q-38.
      if (this.#upstream !== upstream || this.state === "ended" || isCut(upstream)) return;
      if (!this.#stream.closed) this.#stream.end();
      this.#answered();
    });
  }

  #writeAnswer(upstream: ClientHttp2Stream, bytes: Buffer): void {
    const stream = this.#stream;
    this.responseBodyBytes += bytes.length;
    if (!stream.closed && !stream.write(bytes)) {
      upstream.pause();
      stream.once("drain", () => upstream.resume());
    }
    this.tellProgressed(bytes.length);
  }

  /** Sends the final head; `false` when there is nobody to send it to, or Node calls it one that may not be sent. */
  #respond(
    raw: readonly string[],
    how: { readonly endStream?: boolean; readonly waitForTrailers?: boolean },
  ): boolean {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return false; // its close is on its way
    this.tellStarting(statusOf(raw));
    try {
      respond(stream, responseHeaders(raw, this.responseEdits), how);
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause);
      const error = new ProxyError("upstream-malformed", `malformed HTTP response: ${text}`, { cause });
      this.dropUpstream();
      this.attemptFailed({ error, isRetriable: false });
      return false;
    }
    this.state = "responding";
    this.status = statusOf(raw);
    this.#isGrpc = how.waitForTrailers === true && isGrpc(raw);
    if (how.waitForTrailers === true)
      stream.on("wantTrailers", () => sendTrailers(stream, this.#responseTrailers));
    this.tellStarted(this.status);
    return true;
  }

  /** The whole answer is with the client's stream. */
  #answered(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    this.#isAnswerDone = true;
    this.#closeWhenSent();
    // An answer before the end of the request: nobody needs the rest of it.
    if (upstream !== undefined && !this.#isRequestDone && !upstream.closed) upstream.close(NO_ERROR);
    this.completed();
  }

  /** RFC 9113 §8.1: a whole answer to a request that is not over is followed by RST_STREAM with NO_ERROR. */
  #closeWhenSent(): void {
    if (this.#isRequestDone) return;
    const stream = this.#stream;
    stream.removeAllListeners("data");
    stream.resume();
    if (stream.writableFinished) stream.close(NO_ERROR);
    else stream.once("finish", () => stream.close(NO_ERROR));
  }

  #upstreamClosed(upstream: ClientHttp2Stream, session: UpstreamSession, cause: Error | undefined): void {
    if (this.state === "ended") return;
    this.#upstream = undefined;
    this.#stopBody();
    if (this.state !== "forwarding") {
      this.abort(upstreamError("", undefined, "body"));
      return;
    }
    const { rstCode } = upstream;
    const isUntouched = rstCode === REFUSED_STREAM && !this.#isBodyTaken; // RFC 9113 §8.7: not processed
    const error = streamError(rstCode, cause, session);
    this.attemptFailed({ error, isRetriable: isUntouched });
  }

  #clientClosed(): void {
    if (this.state === "ended" || this.#isAnswerDone) return;
    this.clientLeft();
    this.#resets.spend();
  }
}

function ignore(): void {}

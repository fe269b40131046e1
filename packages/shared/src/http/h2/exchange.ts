import type { ClientHttp2Stream, ServerHttp2Stream } from "node:http2";
import { ProxyError } from "../../errors/proxy-error.ts";
import type { Handler } from "../chain.ts";
import type { LocalResponse } from "../exchange.ts";
import type { ExchangeBase } from "../exchange-base.ts";
import type { ServerCore } from "../server-core.ts";
import { headersOf, isGrpc, responseHeaders, statusOf } from "./headers.ts";
import { respond, sendTrailers } from "./library.ts";
import { Http2RequestSide, type StreamRequest, type StreamSetting } from "./request-side.ts";
import type { ResetBudget } from "./reset-budget.ts";
import { Http2ResponseHead } from "./response-head.ts";
import { isCut } from "./stream-error.ts";

/** RFC 9113 §7. */
const NO_ERROR = 0;
const INTERNAL_ERROR = 2;
const END_STREAM_FLAG = 1;
/** A status of gRPC. */
const DEADLINE_EXCEEDED = "4";

/**
 * One stream of a client and its answer, between that stream and one of an upstream. Here is the way down: the answer,
 * ours or the upstream's, and how the client's stream ends.
 */
export class Http2Exchange<C> extends Http2RequestSide<C> {
  readonly #core: ServerCore<C>;
  readonly #resets: ResetBudget;
  #isAnswerDone = false;
  /** The answer that is on its way is one of gRPC. */
  #isGrpc = false;

  constructor(stream: ServerHttp2Stream, how: StreamSetting<C>, of: StreamRequest<C>) {
    super(stream, how, of);
    this.#core = how.core;
    this.#resets = how.resets;
    stream.on("error", ignore); // a close follows
    stream.on("close", () => this.#clientClosed());
  }

  /** Gives it to the server's handler. */
  run(handler: Handler<C>): void {
    this.#core.exchangeStarted();
    try {
      if (this.head.method === "CONNECT") {
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
    const stream = this.stream;
    const mayEnd = this.state === "responding" && !this.#isAnswerDone && stream.writableLength === 0;
    if (error.code !== "request-timeout" || !mayEnd || !this.#isGrpc || stream.closed) {
      super.abort(error);
      return;
    }
    this.dropUpstream();
    this.#isAnswerDone = true;
    this.trailers = ["grpc-status", DEADLINE_EXCEEDED, "grpc-message", error.message];
    this.#closeWhenSent();
    stream.end();
    this.end({ kind: "aborted", error });
  }

  protected override end(outcome: Parameters<ExchangeBase<C>["end"]>[0]): void {
    super.end(outcome);
    this.#core.exchangeEnded();
  }

  protected sendLocal(response: LocalResponse): void {
    const body = response.body ?? "";
    const hasBody =
      body.length > 0 && this.head.method !== "HEAD" && response.status !== 204 && response.status !== 304;
    this.tellStarting(response.status);
    this.state = "responding";
    this.status = response.status;
    const raw = [":status", String(response.status)];
    for (const name in response.headers) raw.push(name.toLowerCase(), response.headers[name] ?? "");
    if (response.status !== 204 && response.status !== 304)
      raw.push("content-length", String(Buffer.byteLength(body)));
    this.responseBodyBytes = hasBody ? Buffer.byteLength(body) : 0;
    this.#isAnswerDone = true;
    if (!this.stream.destroyed && !this.stream.closed) {
      respond(this.stream, responseHeaders(raw, this.responseEdits), { endStream: !hasBody });
      this.#closeWhenSent();
      if (hasBody) this.stream.end(body);
    }
    this.tellStarted(response.status);
    if (hasBody) this.tellProgressed(this.responseBodyBytes);
    this.completed();
  }

  protected cutClient(): void {
    if (!this.stream.closed) this.stream.close(INTERNAL_ERROR);
  }

  protected interim(upstream: ClientHttp2Stream, raw: readonly string[]): void {
    if (this.upstream !== upstream || this.stream.closed || this.stream.headersSent) return;
    const status = statusOf(raw);
    if (status === 101) return; // means nothing in HTTP/2; Node would refuse to send it
    try {
      this.stream.additionalHeaders(headersOf(responseHeaders(raw, undefined)));
    } catch {
      return; // one that Node takes from nobody; the final answer says what is wrong
    }
    this.tellStarted(status);
  }

  protected final(upstream: ClientHttp2Stream, flags: number, raw: readonly string[]): void {
    if (this.upstream !== upstream) return;
    if (this.stream.destroyed || this.stream.closed) return; // its close is on its way
    if (this.isAnswerAwaited && !this.isBodyTaken && this.discards(new Http2ResponseHead(raw))) return;
    if ((flags & END_STREAM_FLAG) !== 0) {
      if (this.#respond(raw, { endStream: true })) this.#answered();
      return;
    }
    if (!this.#respond(raw, { waitForTrailers: true })) return;
    upstream.on("data", (bytes: Buffer) => this.#writeAnswer(upstream, bytes));
    upstream.on("end", () => {
      // A reset ends the readable side as well; only a real end is one for the client. Q-38.
      if (this.upstream !== upstream || this.state === "ended" || isCut(upstream)) return;
      if (!this.stream.closed) this.stream.end();
      this.#answered();
    });
  }

  #writeAnswer(upstream: ClientHttp2Stream, bytes: Buffer): void {
    const stream = this.stream;
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
    const stream = this.stream;
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
    if (how.waitForTrailers === true) stream.on("wantTrailers", () => sendTrailers(stream, this.trailers));
    this.tellStarted(this.status);
    return true;
  }

  /** The whole answer is with the client's stream. */
  #answered(): void {
    const upstream = this.upstream;
    this.upstream = undefined;
    this.#isAnswerDone = true;
    this.#closeWhenSent();
    // An answer before the end of the request: nobody needs the rest of it.
    if (upstream !== undefined && !this.isRequestDone && !upstream.closed) upstream.close(NO_ERROR);
    this.completed();
  }

  /** RFC 9113 §8.1: a whole answer to a request that is not over is followed by RST_STREAM with NO_ERROR. */
  #closeWhenSent(): void {
    if (this.isRequestDone) return;
    const stream = this.stream;
    stream.removeAllListeners("data");
    stream.resume();
    if (stream.writableFinished) stream.close(NO_ERROR);
    else stream.once("finish", () => stream.close(NO_ERROR));
  }

  #clientClosed(): void {
    if (this.state === "ended" || this.#isAnswerDone) return;
    this.clientLeft();
    this.#resets.spend();
  }
}

function ignore(): void {}

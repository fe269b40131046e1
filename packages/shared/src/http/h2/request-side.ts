import type { ClientHttp2Stream, ServerHttp2Stream } from "node:http2";
import type { MonoMs } from "../../clock/clock.ts";
import { ProxyError } from "../../errors/proxy-error.ts";
import { assert } from "../../invariant.ts";
import type { ClientPeer, Upstream } from "../exchange.ts";
import { ExchangeBase } from "../exchange-base.ts";
import type { ServerCore } from "../server-core.ts";
import { upstreamError } from "../upstream-error.ts";
import { UpstreamPool } from "../upstream-pool.ts";
import { requestHeaders } from "./headers.ts";
import { sendTrailers } from "./library.ts";
import type { Http2RequestHead } from "./request-head.ts";
import type { ResetBudget } from "./reset-budget.ts";
import { streamError } from "./stream-error.ts";
import type { SessionTaker, UpstreamSession } from "./upstream-sessions.ts";

/** RFC 9113 §7. */
const REFUSED_STREAM = 7;
const CANCEL = 8;

/** What a stream is taken with. */
export interface StreamSetting<C> {
  readonly hasBody: boolean;
  readonly forwardedFor: string | undefined;
  readonly core: ServerCore<C>;
  readonly resets: ResetBudget;
}

/** What there is to know of a request. */
export interface StreamRequest<C> {
  readonly head: Http2RequestHead;
  readonly client: ClientPeer;
  readonly context: C;
  readonly receivedAt: MonoMs;
}

/**
 * The way up of an HTTP/2 exchange: which stream of which session its request goes out on, and when its body flows. The
 * way down is `Http2Exchange`.
 */
export abstract class Http2RequestSide<C> extends ExchangeBase<C> implements SessionTaker {
  protected readonly stream: ServerHttp2Stream;
  protected readonly head: Http2RequestHead;
  protected upstream: ClientHttp2Stream | undefined;
  protected isBodyTaken = false;
  protected isRequestDone: boolean;
  /** Of the answer. */
  protected trailers: readonly string[] | undefined;
  readonly #forwardedFor: string | undefined;
  readonly #hasBody: boolean;
  #pool: UpstreamPool | undefined;
  #isWaiting = false;
  #requestTrailers: readonly string[] | undefined;

  constructor(stream: ServerHttp2Stream, how: StreamSetting<C>, of: StreamRequest<C>) {
    super(of.head, of.client, of.context, of.receivedAt);
    this.stream = stream;
    this.head = of.head;
    this.#forwardedFor = how.forwardedFor;
    this.#hasBody = how.hasBody;
    this.isRequestDone = !how.hasBody;
    if (how.hasBody) {
      stream.on("trailers", (_trailers, _flags, raw: readonly string[]) => {
        this.#requestTrailers = raw;
      });
    }
  }

  /** An interim answer. */
  protected abstract interim(upstream: ClientHttp2Stream, raw: readonly string[]): void;
  /** The final one's head; its body, if `flags` do not end the stream, is still to be read. */
  protected abstract final(upstream: ClientHttp2Stream, flags: number, raw: readonly string[]): void;

  sessionReady(session: UpstreamSession): void {
    this.#isWaiting = false;
    this.#send(session);
  }

  sessionFailed(error: ProxyError): void {
    this.#isWaiting = false;
    this.attemptFailed({ error, isRetriable: !this.isBodyTaken });
  }

  protected attempt(upstream: Upstream): void {
    assert(upstream instanceof UpstreamPool, "an upstream is an UpstreamPool");
    this.#pool = upstream;
    if (this.isBodyTaken) {
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
    const upstream = this.upstream;
    this.upstream = undefined;
    if (upstream !== undefined && !upstream.closed) upstream.close(CANCEL);
    this.#stopBody();
  }

  #send(session: UpstreamSession): void {
    let upstream: ClientHttp2Stream;
    try {
      const headers = requestHeaders(this.head, this.requestEdits, {
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
    this.upstream = upstream;
    upstream.on("headers", (_headers, _flags, raw: readonly string[]) => this.interim(upstream, raw));
    upstream.on("response", (_headers, flags, raw: readonly string[]) => this.final(upstream, flags, raw));
    upstream.on("trailers", (_trailers, _flags, raw: readonly string[]) => {
      this.trailers = raw;
    });
    let cause: Error | undefined;
    upstream.on("error", (error: Error) => {
      cause = error;
    });
    upstream.on("close", () => {
      session.streamClosed();
      if (this.upstream === upstream) this.#upstreamClosed(upstream, session, cause);
    });
    if (this.#hasBody) this.#pumpRequest(upstream);
  }

  #pumpRequest(upstream: ClientHttp2Stream): void {
    const stream = this.stream;
    upstream.on("wantTrailers", () => sendTrailers(upstream, this.#requestTrailers));
    stream.on("data", (bytes: Buffer) => {
      this.isBodyTaken = true;
      this.requestBodyBytes += bytes.length;
      if (upstream.closed || upstream.write(bytes)) return;
      stream.pause();
      upstream.once("drain", () => stream.resume());
    });
    stream.on("end", () => {
      if (this.upstream !== upstream) return; // another attempt has it
      this.isRequestDone = true;
      if (!upstream.closed) upstream.end();
    });
    stream.resume();
  }

  /** What its client sends from now on stays where it is, until someone else takes it. */
  #stopBody(): void {
    if (!this.#hasBody) return;
    this.stream.removeAllListeners("data");
    this.stream.pause();
  }

  #upstreamClosed(upstream: ClientHttp2Stream, session: UpstreamSession, cause: Error | undefined): void {
    if (this.state === "ended") return;
    this.upstream = undefined;
    this.#stopBody();
    if (this.state !== "forwarding") {
      this.abort(upstreamError("", undefined, "body"));
      return;
    }
    const { rstCode } = upstream;
    const isUntouched = rstCode === REFUSED_STREAM && !this.isBodyTaken; // RFC 9113 §8.7: not processed
    const error = streamError(rstCode, cause, session);
    this.attemptFailed({ error, isRetriable: isUntouched });
  }
}

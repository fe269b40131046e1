import type { MonoMs } from "../../clock/clock.ts";
import { ProxyError } from "../../errors/proxy-error.ts";
import { assert } from "../../invariant.ts";
import type { ClientPeer, Upstream } from "../exchange.ts";
import { ExchangeBase } from "../exchange-base.ts";
import type { FieldBlock } from "../field-block.ts";
import { CONTINUE_MS } from "../limits.ts";
import { type ConnectionTaker, UpstreamPool } from "../upstream-pool.ts";
import { Alarm } from "./alarm.ts";
import { lastChunkText, requestHeadText } from "./head-writer.ts";
import type { ParsedRequestHead } from "./request-head.ts";
import type { ParsedResponseHead } from "./response-head.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { UpstreamConnection, UpstreamSink } from "./upstream-connection.ts";

/** No name of a protocol. */
const UNPRINTABLE = /[^\x20-\x7e]/;
const CONTINUE_TEXT = "HTTP/1.1 100 Continue\r\n\r\n";

/**
 * The way up of an HTTP/1.x exchange: which connection its request goes out on, when its body flows, what may be sent
 * once more. The way down is `Http1Exchange`.
 */
export abstract class Http1RequestSide<C> extends ExchangeBase<C> implements UpstreamSink, ConnectionTaker {
  /** Its body may be read from the client now: there is an upstream, and it takes more. */
  takesBody = false;
  protected readonly connection: ServerConnection<C>;
  protected readonly head: ParsedRequestHead;
  protected upstream: UpstreamConnection | undefined;
  /** Some of the body has left the client's connection: the request cannot be sent again. */
  isBodyTaken = false;
  protected isRequestDone: boolean;
  /** The client has been told to send its body. */
  protected isContinued = false;
  #pool: UpstreamPool | undefined;
  #dial: Disposable | undefined;
  #isReused = false;
  /** For the upstream's 100. */
  #timer: Alarm | undefined;

  constructor(
    connection: ServerConnection<C>,
    head: ParsedRequestHead,
    of: { readonly client: ClientPeer; readonly context: C; readonly receivedAt: MonoMs },
  ) {
    super(head, of.client, of.context, of.receivedAt);
    this.connection = connection;
    this.head = head;
    this.isRequestDone = !head.hasBody;
  }

  get method(): string {
    return this.head.method;
  }

  abstract upstreamHead(head: ParsedResponseHead): "body" | "tunnel";
  abstract upstreamData(bytes: Buffer, from: number, to: number): void;
  abstract upstreamEnd(trailers: FieldBlock | undefined): void;
  abstract upstreamTunnel(bytes: Buffer, from: number, to: number): void;
  abstract upstreamTunnelEnd(): void;
  abstract upstreamReadDone(): void;
  /** The upstream died with some of an answer on its way to the client. */
  protected abstract answerCut(error: ProxyError): void;

  /** Body bytes of the request, good until it returns. `false`: enough for now, `takesBody` says when to go on. */
  requestData(bytes: Buffer, from: number, to: number): boolean {
    const count = to - from;
    this.requestBodyBytes += count;
    this.isBodyTaken = true;
    const upstream = this.upstream;
    if (upstream === undefined) return true;
    const { out, socket } = upstream;
    const isInPlace =
      this.head.framing === "chunked" ? out.chunk(bytes, from, to) : out.body(bytes, from, to);
    if (socket.writableLength === 0) this.connection.allWritten();
    else if (isInPlace) this.connection.keepUntilWritten();
    if (socket.writableNeedDrain) this.takesBody = false;
    return this.takesBody;
  }

  requestEnd(trailers: FieldBlock | undefined): void {
    this.isRequestDone = true;
    this.takesBody = false;
    if (this.head.framing === "chunked") this.upstream?.out.add(lastChunkText(trailers));
  }

  /** All that was read has been reported. */
  requestReadDone(): void {
    if (this.upstream?.out.isEmpty === false) this.#flushUpstream();
  }

  connectionReady(connection: UpstreamConnection): void {
    this.#dial = undefined;
    this.#isReused = false;
    this.#send(connection);
  }

  connectionFailed(error: ProxyError): void {
    this.#dial = undefined;
    this.attemptFailed({ error, isRetriable: !this.isBodyTaken });
  }

  upstreamDrained(): void {
    this.connection.allWritten();
    if (this.isRequestDone || this.upstream === undefined) return;
    this.takesBody = true;
    this.connection.bodyWanted();
  }

  upstreamFailed(error: ProxyError, sawAnswer: boolean): void {
    this.upstream = undefined;
    this.takesBody = false;
    if (this.state !== "forwarding") {
      this.answerCut(error);
      return;
    }
    if (this.#isReused && !sawAnswer && this.#mayRepeat()) {
      this.#attempt();
      return;
    }
    this.attemptFailed({ error, isRetriable: false });
  }

  protected attempt(upstream: Upstream): void {
    assert(upstream instanceof UpstreamPool, "an upstream is an UpstreamPool");
    this.#pool = upstream;
    if (this.isBodyTaken) {
      this.fail(new ProxyError("upstream-closed", "the request body has been sent already"));
      return;
    }
    const { upgrade } = this.head;
    if (upgrade !== undefined && UNPRINTABLE.test(upgrade)) {
      const text = `client tried to switch to invalid protocol "${upgrade}"`;
      this.fail(new ProxyError("upstream-upgrade-mismatch", text)); // Q §3.5
      return;
    }
    this.#attempt();
  }

  protected dropUpstream(): void {
    this.takesBody = false;
    this.#dial?.[Symbol.dispose]();
    this.#dial = undefined;
    this.upstream?.destroy();
    this.upstream = undefined;
    this.#timer?.disarm();
  }

  /** The answer is whole: its connection may serve another. */
  protected releaseUpstream(): void {
    const upstream = this.upstream;
    this.upstream = undefined;
    this.takesBody = false;
    this.#timer?.disarm();
    if (upstream === undefined) return;
    // An answer before the end of the request: the upstream still waits for the rest, which nobody will send.
    if (this.isRequestDone && upstream.out.isEmpty) this.#pool?.putBack(upstream);
    else upstream.destroy();
  }

  /** The body may come: the upstream has asked for it, or thought about it for long enough. */
  protected openBody(how: { readonly tellsClient: boolean }): void {
    this.#timer?.disarm();
    this.isContinued = true;
    if (how.tellsClient) {
      this.connection.out.add(CONTINUE_TEXT);
      this.connection.out.flush();
    }
    if (this.isRequestDone || this.upstream === undefined) return;
    this.takesBody = true;
    this.connection.bodyWanted();
  }

  #attempt(): void {
    const pool = this.#pool;
    if (pool === undefined) return;
    const idle = pool.takeIdle();
    if (idle === undefined) {
      this.#dial = pool.dial(this);
      return;
    }
    this.#isReused = true;
    this.#send(idle);
  }

  #send(upstream: UpstreamConnection): void {
    this.upstream = upstream;
    upstream.begin(this);
    const text = requestHeadText(this.head, this.requestEdits, {
      forwardedFor: this.connection.forwardedFor,
      authority: upstream.address,
    });
    if (this.isRequestDone) {
      upstream.write(text);
      return;
    }
    upstream.out.add(text);
    if (this.head.expectsContinue && !this.isContinued) {
      this.#flushUpstream();
      this.#timer ??= new Alarm(this.connection.wheel, () => this.#waitedForContinue());
      this.#timer.arm(CONTINUE_MS);
      return;
    }
    this.takesBody = true;
    this.connection.bodyWanted();
  }

  #waitedForContinue(): void {
    if (this.state === "forwarding" && !this.isContinued) this.openBody({ tellsClient: true });
  }

  /** Retried by ourselves is only what may be done twice: the connection died, and nobody knows after how much. Q-35. */
  #mayRepeat(): boolean {
    if (this.head.hasBody || this.head.upgrade !== undefined) return false;
    switch (this.head.method) {
      case "GET":
      case "HEAD":
      case "OPTIONS":
      case "TRACE":
        return true;
      default:
        return this.head.has("idempotency-key") || this.head.has("x-idempotency-key");
    }
  }

  #flushUpstream(): void {
    if (this.upstream?.out.flush() === false && !this.isRequestDone) this.takesBody = false;
  }
}

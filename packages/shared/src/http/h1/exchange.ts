import type { MonoMs } from "../../clock/clock.ts";
import { WheelTimer } from "../../clock/timer-wheel.ts";
import { ProxyError } from "../../errors/proxy-error.ts";
import { assert } from "../../invariant.ts";
import type { ClientPeer, LocalResponse, Upstream } from "../exchange.ts";
import { ExchangeBase } from "../exchange-base.ts";
import { field } from "../field.ts";
import type { FieldBlock } from "../field-block.ts";
import { CONTINUE_MS, JOINED_WRITE_BYTES_MAX, TUNNEL_LINGER_MS, UNREAD_BODY_BYTES_MAX } from "../limits.ts";
import { type ConnectionTaker, UpstreamPool } from "../upstream-pool.ts";
import {
  type ClientFraming,
  lastChunkText,
  localResponseText,
  requestHeadText,
  responseHeadText,
} from "./head-writer.ts";
import type { BodyFraming, ParsedRequestHead } from "./request-head.ts";
import type { ParsedResponseHead } from "./response-head.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { UpstreamConnection, UpstreamSink } from "./upstream-connection.ts";
import { CLOSE_GOING_AWAY, WebSocketFarewell } from "./websocket-farewell.ts";

const CONTINUE_TEXT = "HTTP/1.1 100 Continue\r\n\r\n";

/** One HTTP/1.x request of a client connection and its answer, between that connection and an upstream's. */
export class Http1Exchange<C> extends ExchangeBase<C> implements UpstreamSink, ConnectionTaker {
  /** Its body may be read from the client now: there is an upstream, and it takes more. */
  takesBody = false;
  readonly #connection: ServerConnection<C>;
  readonly #head: ParsedRequestHead;
  #pool: UpstreamPool | undefined;
  #upstream: UpstreamConnection | undefined;
  #dial: Disposable | undefined;
  #isReused = false;
  /** Some of the body has left the client's connection: the request cannot be sent again. */
  #isBodyTaken = false;
  #isRequestDone: boolean;
  #isContinued = false;
  #clientFraming: ClientFraming = "none";
  #isLast = false;
  /** What has been gathered for either side during one read; it leaves in one write. */
  #toUpstream = "";
  #toClient = "";
  #tunnelEnd: "none" | "client" | "upstream" = "none";
  #timer: ExchangeTimer<C> | undefined;
  /** Of a tunnel with a WebSocket in it. */
  #farewell: WebSocketFarewell | undefined;

  constructor(
    connection: ServerConnection<C>,
    head: ParsedRequestHead,
    of: { readonly client: ClientPeer; readonly context: C; readonly receivedAt: MonoMs },
  ) {
    super(head, of.client, of.context, of.receivedAt);
    this.#connection = connection;
    this.#head = head;
    this.#isRequestDone = !head.hasBody;
  }

  get method(): string {
    return this.#head.method;
  }

  // From the client's connection.

  /** Body bytes of the request, good until it returns. `false`: enough for now, `takesBody` says when to go on. */
  requestData(bytes: Buffer, from: number, to: number): boolean {
    const count = to - from;
    this.requestBodyBytes += count;
    this.#isBodyTaken = true;
    const upstream = this.#upstream;
    if (upstream === undefined) return true;
    const isChunked = this.#head.framing === "chunked";
    if (isChunked) this.#toUpstream += `${count.toString(16)}\r\n`;
    if (this.#toUpstream.length + count <= JOINED_WRITE_BYTES_MAX) {
      this.#toUpstream += bytes.toString("latin1", from, to);
    } else {
      const { socket } = upstream;
      if (this.#toUpstream !== "") {
        socket.cork();
        this.#flushUpstream();
      }
      socket.write(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
      if (socket.writableCorked > 0) socket.uncork();
    }
    if (isChunked) this.#toUpstream += "\r\n";
    if (upstream.socket.writableNeedDrain) this.takesBody = false;
    return this.takesBody;
  }

  requestEnd(trailers: FieldBlock | undefined): void {
    this.#isRequestDone = true;
    this.takesBody = false;
    if (this.#upstream !== undefined && this.#head.framing === "chunked")
      this.#toUpstream += lastChunkText(trailers);
  }

  /** All that was read has been reported. */
  requestReadDone(): void {
    if (this.#toUpstream !== "") this.#flushUpstream();
  }

  clientDrained(): void {
    this.#upstream?.socket.resume();
  }

  tunnelData(bytes: Buffer): void {
    this.requestBodyBytes += bytes.length;
    this.tellProgressed(bytes.length);
    const upstream = this.#upstream;
    if (upstream === undefined || upstream.socket.writableEnded) return;
    if (!upstream.socket.write(bytes)) this.#connection.pauseReading();
  }

  /** The client has sent its end; the upstream may finish what it has to say. Q-85. */
  tunnelClientEnd(): void {
    if (this.#tunnelEnd === "upstream") {
      this.#endTunnel();
      return;
    }
    this.#tunnelEnd = "client";
    this.#upstream?.socket.end();
    this.#armTimer(TUNNEL_LINGER_MS);
  }

  /** A WebSocket's client is told to go elsewhere, once what the upstream is saying has been said. */
  closeTunnel(): void {
    if (this.state !== "tunnelled" || this.#farewell === undefined) return;
    this.#farewell.want();
    this.#sayFarewell(this.#farewell);
  }

  // From the upstream's connection and pool.

  connectionReady(connection: UpstreamConnection): void {
    this.#dial = undefined;
    this.#isReused = false;
    this.#send(connection);
  }

  connectionFailed(error: ProxyError): void {
    this.#dial = undefined;
    this.attemptFailed({ error, isRetriable: !this.#isBodyTaken });
  }

  upstreamHead(head: ParsedResponseHead): "body" | "tunnel" {
    if (head.status === 101) return this.#switchProtocols(head);
    if (head.status < 200) {
      this.#relayInterim(head);
      return "body";
    }
    if (this.isAnswerAwaited && !this.#isBodyTaken && this.discards(head)) return "body";
    this.tellStarting(head.status);
    this.state = "responding";
    this.status = head.status;
    this.#clientFraming = clientFraming(head.framing(this.method), this.#head);
    // A client that was never told to continue may or may not send its body: nobody can tell what its next bytes are.
    const isUnclear = this.#head.expectsContinue && !this.#isBodyTaken && !this.#isContinued;
    this.#isLast =
      this.closesAfterResponse ||
      this.#connection.isLastRequest(this.#head) ||
      this.#clientFraming === "until-close" ||
      isUnclear;
    this.#toClient += responseHeadText(head, this.responseEdits, {
      framing: this.#clientFraming,
      isLast: this.#isLast,
      saysKeepAlive: this.#head.version === "1.0",
      date: this.#connection.date(),
      upgrade: undefined,
    });
    this.tellStarted(head.status);
    return "body";
  }

  upstreamData(bytes: Buffer, from: number, to: number): void {
    const count = to - from;
    this.responseBodyBytes += count;
    const isChunked = this.#clientFraming === "chunked";
    if (isChunked) this.#toClient += `${count.toString(16)}\r\n`;
    if (this.#toClient.length + count <= JOINED_WRITE_BYTES_MAX) {
      this.#toClient += bytes.toString("latin1", from, to);
    } else {
      this.#writeClient(bytes.subarray(from, to));
    }
    if (isChunked) this.#toClient += "\r\n";
    this.tellProgressed(count);
  }

  upstreamReadDone(): void {
    if (this.#toClient !== "") this.#flushClient();
    if (this.#connection.needsDrain) this.#upstream?.socket.pause();
  }

  upstreamEnd(trailers: FieldBlock | undefined): void {
    if (this.#clientFraming === "chunked") this.#toClient += lastChunkText(trailers);
    if (this.#toClient !== "") this.#flushClient();
    this.#releaseUpstream();
    this.#timer?.disarm();
    this.completed();
    this.#connection.exchangeOver(this.#isLast);
  }

  upstreamTunnel(bytes: Buffer, from: number, to: number): void {
    const farewell = this.#farewell;
    const relayedTo = farewell === undefined ? to : farewell.relay(bytes, from, to);
    this.responseBodyBytes += relayedTo - from;
    this.tellProgressed(relayedTo - from);
    if (this.state === "ended") return;
    if (relayedTo > from) this.#writeClient(bytes.subarray(from, relayedTo));
    if (farewell !== undefined) this.#sayFarewell(farewell);
    if (this.#connection.needsDrain) this.#upstream?.socket.pause();
  }

  upstreamTunnelEnd(): void {
    if (this.#tunnelEnd === "client") {
      this.#endTunnel();
      return;
    }
    this.#tunnelEnd = "upstream";
    this.#connection.endWriting();
  }

  upstreamDrained(): void {
    if (this.state === "tunnelled") {
      this.#connection.resumeReading();
      return;
    }
    if (this.#isRequestDone || this.#upstream === undefined) return;
    this.takesBody = true;
    this.#connection.bodyWanted();
  }

  upstreamFailed(error: ProxyError, sawAnswer: boolean): void {
    this.#upstream = undefined;
    this.takesBody = false;
    this.#toUpstream = "";
    if (this.state !== "forwarding") {
      if (this.#toClient !== "") this.#flushClient(); // what came whole before it failed
      this.abort(error);
      return;
    }
    if (this.#isReused && !sawAnswer && this.#mayRepeat()) {
      this.#attempt();
      return;
    }
    this.attemptFailed({ error, isRetriable: false });
  }

  /** @internal A timer of `ExchangeTimer`. */
  timerFired(): void {
    if (this.state === "tunnelled") this.#endTunnel();
    else if (this.state === "forwarding" && !this.#isContinued) this.#openBody({ tellsClient: true });
  }

  protected sendLocal(response: LocalResponse): void {
    const head = this.#head;
    const isUnread = !this.#isRequestDone;
    const isTooLong = isUnread && this.#connection.bodyBytesLeft > UNREAD_BODY_BYTES_MAX;
    const isUnclear = isUnread && head.expectsContinue && !this.#isContinued;
    this.tellStarting(response.status);
    this.#isLast = this.closesAfterResponse || this.#connection.isLastRequest(head) || isTooLong || isUnclear;
    this.state = "responding";
    this.status = response.status;
    this.#toClient += localResponseText(
      response,
      {
        isLast: this.#isLast,
        saysKeepAlive: head.version === "1.0",
        date: this.#connection.date(),
        hasBody: head.method !== "HEAD",
      },
      this.responseEdits,
    );
    this.responseBodyBytes = head.method === "HEAD" ? 0 : Buffer.byteLength(response.body ?? "");
    this.tellStarted(response.status);
    if (this.responseBodyBytes > 0) this.tellProgressed(this.responseBodyBytes);
    this.#flushClient();
    this.completed();
    this.#connection.exchangeOver(this.#isLast);
  }

  protected attempt(upstream: Upstream): void {
    assert(upstream instanceof UpstreamPool, "an upstream is an UpstreamPool");
    this.#pool = upstream;
    if (this.#isBodyTaken) {
      this.fail(new ProxyError("upstream-closed", "the request body has been sent already"));
      return;
    }
    this.#attempt();
  }

  protected dropUpstream(): void {
    this.takesBody = false;
    this.#toUpstream = "";
    this.#dial?.[Symbol.dispose]();
    this.#dial = undefined;
    this.#upstream?.destroy();
    this.#upstream = undefined;
    this.#timer?.disarm();
  }

  protected cutClient(): void {
    this.#connection.cut({ isReset: this.#clientFraming === "until-close" });
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
    this.#upstream = upstream;
    upstream.begin(this);
    const text = requestHeadText(this.#head, this.requestEdits, {
      forwardedFor: this.#connection.forwardedFor,
      authority: upstream.address,
    });
    if (this.#isRequestDone) {
      upstream.write(text);
      return;
    }
    this.#toUpstream = text;
    if (this.#head.expectsContinue && !this.#isContinued) {
      this.#flushUpstream();
      this.#armTimer(CONTINUE_MS);
      return;
    }
    this.takesBody = true;
    this.#connection.bodyWanted();
  }

  #openBody(how: { readonly tellsClient: boolean }): void {
    this.#timer?.disarm();
    this.#isContinued = true;
    if (how.tellsClient) {
      this.#toClient += CONTINUE_TEXT;
      this.#flushClient();
    }
    if (this.#isRequestDone || this.#upstream === undefined) return;
    this.takesBody = true;
    this.#connection.bodyWanted();
  }

  #relayInterim(head: ParsedResponseHead): void {
    const isContinue = head.status === 100;
    // One 100 is enough: ours may have gone out already. HTTP/1.0 knows none at all. RFC 9110 §15.2.
    const isRelayed = this.#head.version === "1.1" && !(isContinue && this.#isContinued);
    if (isRelayed) {
      this.#toClient += responseHeadText(head, undefined, {
        framing: "none",
        isLast: false,
        saysKeepAlive: false,
        date: "",
        upgrade: undefined,
      });
      this.tellStarted(head.status);
    }
    if (isContinue && this.#head.expectsContinue && !this.#isContinued)
      this.#openBody({ tellsClient: false });
  }

  #switchProtocols(head: ParsedResponseHead): "body" | "tunnel" {
    const wanted = this.#head.upgrade ?? "";
    const given = head.members(field.upgrade).join(", ");
    const offers = wanted.toLowerCase().split(", ");
    if (wanted === "" || !offers.includes(given.toLowerCase())) {
      const text = `backend tried to switch protocol "${given}" when "${wanted}" was requested`;
      const error = new ProxyError("upstream-upgrade-mismatch", text);
      this.#upstream?.destroy();
      this.upstreamFailed(error, true);
      return "body";
    }
    this.tellStarting(101);
    this.state = "tunnelled";
    this.status = 101;
    this.#isLast = true;
    this.#toClient += responseHeadText(head, this.responseEdits, {
      framing: "none",
      isLast: false,
      saysKeepAlive: false,
      date: "",
      upgrade: given,
    });
    this.#flushClient();
    this.tellStarted(101);
    if (given.toLowerCase() === "websocket") this.#farewell = new WebSocketFarewell();
    this.#connection.startTunnel();
    if (this.#connection.areTunnelsClosing) this.closeTunnel();
    return "tunnel";
  }

  #sayFarewell(farewell: WebSocketFarewell): void {
    if (!farewell.takeDue()) return;
    this.#connection.writeBytes("", CLOSE_GOING_AWAY);
    this.#armTimer(TUNNEL_LINGER_MS);
  }

  #endTunnel(): void {
    if (this.state === "ended") return;
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.destroy();
    this.#timer?.disarm();
    this.completed();
    this.#connection.exchangeOver(true);
  }

  /** Retried by ourselves is only what may be done twice: the connection died, and nobody knows after how much. Q-35. */
  #mayRepeat(): boolean {
    if (this.#head.hasBody || this.#head.upgrade !== undefined) return false;
    switch (this.#head.method) {
      case "GET":
      case "HEAD":
      case "OPTIONS":
      case "TRACE":
        return true;
      default:
        return this.#head.has("idempotency-key") || this.#head.has("x-idempotency-key");
    }
  }

  #releaseUpstream(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    this.takesBody = false;
    if (upstream === undefined) return;
    // An answer before the end of the request: the upstream still waits for the rest, which nobody will send.
    if (this.#isRequestDone && this.#toUpstream === "") this.#pool?.putBack(upstream);
    else upstream.destroy();
    this.#toUpstream = "";
  }

  #flushUpstream(): void {
    const text = this.#toUpstream;
    this.#toUpstream = "";
    if (this.#upstream?.write(text) === false && !this.#isRequestDone) this.takesBody = false;
  }

  #flushClient(): void {
    const text = this.#toClient;
    this.#toClient = "";
    this.#connection.write(text);
  }

  #writeClient(bytes: Buffer): void {
    const text = this.#toClient;
    this.#toClient = "";
    this.#connection.writeBytes(text, bytes);
    if (this.#connection.hasUnsent) this.#upstream?.keepBuffer();
  }

  #armTimer(delayMs: number): void {
    this.#timer ??= new ExchangeTimer(this, this.#connection);
    this.#timer.arm(delayMs);
  }
}

/** The rare exchange that waits for something of its own: a 100, or the end of a tunnel. */
class ExchangeTimer<C> extends WheelTimer {
  readonly #exchange: Http1Exchange<C>;
  readonly #connection: ServerConnection<C>;

  constructor(exchange: Http1Exchange<C>, connection: ServerConnection<C>) {
    super();
    this.#exchange = exchange;
    this.#connection = connection;
  }

  arm(delayMs: number): void {
    this.#connection.wheel.arm(this, delayMs);
  }

  disarm(): void {
    this.#connection.wheel.disarm(this);
  }

  timerFired(): void {
    this.#exchange.timerFired();
  }
}

/** RFC 9112 §6: a client of HTTP/1.0 knows no chunks. */
function clientFraming(framing: BodyFraming, request: ParsedRequestHead): ClientFraming {
  if (framing === "none" || framing === "length") return framing;
  return request.version === "1.0" ? "until-close" : "chunked";
}

import { ProxyError } from "../../errors/proxy-error.ts";
import type { LocalResponse } from "../exchange.ts";
import { field } from "../field.ts";
import type { FieldBlock } from "../field-block.ts";
import { UNREAD_BODY_BYTES_MAX } from "../limits.ts";
import { type ClientFraming, lastChunkText, localResponseText, responseHeadText } from "./head-writer.ts";
import type { BodyFraming, ParsedRequestHead } from "./request-head.ts";
import { Http1RequestSide } from "./request-side.ts";
import type { ParsedResponseHead } from "./response-head.ts";
import { Tunnel } from "./tunnel.ts";

/**
 * One HTTP/1.x request of a client connection and its answer, between that connection and an upstream's. Here is the way
 * down: the answer, ours or the upstream's, and what becomes of the client's connection behind it.
 */
export class Http1Exchange<C> extends Http1RequestSide<C> {
  #clientFraming: ClientFraming = "none";
  #isLast = false;
  #tunnel: Tunnel | undefined;

  clientDrained(): void {
    this.upstream?.socket.resume();
  }

  tunnelData(bytes: Buffer): void {
    this.requestBodyBytes += bytes.length;
    this.tellProgressed(bytes.length);
    this.#tunnel?.fromClient(bytes);
  }

  tunnelClientEnd(): void {
    this.#tunnel?.clientEnded();
  }

  closeTunnel(): void {
    this.#tunnel?.close();
  }

  upstreamHead(head: ParsedResponseHead): "body" | "tunnel" {
    if (head.status === 101) return this.#switchProtocols(head);
    if (head.status < 200) {
      this.#relayInterim(head);
      return "body";
    }
    if (this.isAnswerAwaited && !this.isBodyTaken && this.discards(head)) return "body";
    this.tellStarting(head.status);
    this.state = "responding";
    this.status = head.status;
    this.#clientFraming = clientFraming(head.framing(this.method), this.head);
    // A client that was never told to continue may or may not send its body: nobody can tell what its next bytes are.
    const isUnclear = this.head.expectsContinue && !this.isBodyTaken && !this.isContinued;
    this.#isLast =
      this.closesAfterResponse ||
      this.connection.isLastRequest(this.head) ||
      this.#clientFraming === "until-close" ||
      isUnclear;
    this.connection.out.add(
      responseHeadText(head, this.responseEdits, {
        framing: this.#clientFraming,
        isLast: this.#isLast,
        saysKeepAlive: this.head.version === "1.0",
        date: this.connection.date(),
        upgrade: undefined,
      }),
    );
    this.tellStarted(head.status);
    return "body";
  }

  upstreamData(bytes: Buffer, from: number, to: number): void {
    const count = to - from;
    this.responseBodyBytes += count;
    const { out } = this.connection;
    const isInPlace =
      this.#clientFraming === "chunked" ? out.chunk(bytes, from, to) : out.body(bytes, from, to);
    if (isInPlace && this.connection.hasUnsent) this.upstream?.keepBuffer();
    this.tellProgressed(count);
  }

  upstreamReadDone(): void {
    this.#flushClient();
    if (this.connection.needsDrain) this.upstream?.socket.pause();
  }

  upstreamEnd(trailers: FieldBlock | undefined): void {
    if (this.#clientFraming === "chunked") this.connection.out.add(lastChunkText(trailers));
    this.#flushClient();
    this.releaseUpstream();
    this.completed();
    this.connection.exchangeOver(this.#isLast);
  }

  upstreamTunnel(bytes: Buffer, from: number, to: number): void {
    const relayedTo = this.#tunnel?.relayable(bytes, from, to) ?? to;
    this.responseBodyBytes += relayedTo - from;
    this.tellProgressed(relayedTo - from);
    this.#tunnel?.fromUpstream(bytes.subarray(from, relayedTo));
  }

  upstreamTunnelEnd(): void {
    this.#tunnel?.upstreamEnded();
  }

  override upstreamDrained(): void {
    if (this.#tunnel === undefined) super.upstreamDrained();
    else this.#tunnel.upstreamDrained();
  }

  protected answerCut(error: ProxyError): void {
    this.#flushClient(); // what came whole before
    this.abort(error);
  }

  protected sendLocal(response: LocalResponse): void {
    const head = this.head;
    const isUnread = !this.isRequestDone;
    const isTooLong = isUnread && this.connection.bodyBytesLeft > UNREAD_BODY_BYTES_MAX;
    const isUnclear = isUnread && head.expectsContinue && !this.isContinued;
    this.tellStarting(response.status);
    this.#isLast = this.closesAfterResponse || this.connection.isLastRequest(head) || isTooLong || isUnclear;
    this.state = "responding";
    this.status = response.status;
    this.connection.out.add(
      localResponseText(
        response,
        {
          isLast: this.#isLast,
          saysKeepAlive: head.version === "1.0",
          date: this.connection.date(),
          hasBody: head.method !== "HEAD",
        },
        this.responseEdits,
      ),
    );
    this.responseBodyBytes = head.method === "HEAD" ? 0 : Buffer.byteLength(response.body ?? "");
    this.tellStarted(response.status);
    if (this.responseBodyBytes > 0) this.tellProgressed(this.responseBodyBytes);
    this.#flushClient();
    this.completed();
    this.connection.exchangeOver(this.#isLast);
  }

  protected override dropUpstream(): void {
    super.dropUpstream();
    this.#tunnel?.disarm();
    this.#tunnel = undefined;
  }

  protected cutClient(): void {
    this.connection.cut({ isReset: this.#clientFraming === "until-close" });
  }

  #relayInterim(head: ParsedResponseHead): void {
    const isContinue = head.status === 100;
    // One 100 is enough: ours may have gone out already. HTTP/1.0 knows none at all. RFC 9110 §15.2.
    const isRelayed = this.head.version === "1.1" && !(isContinue && this.isContinued);
    if (isRelayed) {
      this.connection.out.add(
        responseHeadText(head, undefined, {
          framing: "none",
          isLast: false,
          saysKeepAlive: false,
          date: "",
          upgrade: undefined,
        }),
      );
      this.tellStarted(head.status);
    }
    if (isContinue && this.head.expectsContinue && !this.isContinued) this.openBody({ tellsClient: false });
  }

  #switchProtocols(head: ParsedResponseHead): "body" | "tunnel" {
    const wanted = this.head.upgrade ?? "";
    const given = head.members(field.upgrade).join(", ");
    const offers = wanted.toLowerCase().split(", ");
    if (wanted === "" || !offers.includes(given.toLowerCase())) {
      const text = `backend tried to switch protocol "${given}" when "${wanted}" was requested`;
      const error = new ProxyError("upstream-upgrade-mismatch", text);
      this.upstream?.destroy();
      this.upstreamFailed(error, true);
      return "body";
    }
    this.tellStarting(101);
    this.state = "tunnelled";
    this.status = 101;
    this.#isLast = true;
    this.connection.out.add(
      responseHeadText(head, this.responseEdits, {
        framing: "none",
        isLast: false,
        saysKeepAlive: false,
        date: "",
        upgrade: given,
      }),
    );
    this.#flushClient();
    this.tellStarted(101);
    const upstream = this.upstream;
    if (upstream === undefined) return "body"; // ended by who was told
    const isWebSocket = given.toLowerCase() === "websocket";
    this.#tunnel = new Tunnel({ client: this.connection, upstream }, { isWebSocket }, () =>
      this.#endTunnel(),
    );
    this.connection.startTunnel();
    if (this.connection.areTunnelsClosing) this.#tunnel?.close();
    return "tunnel";
  }

  #endTunnel(): void {
    if (this.state === "ended") return;
    this.dropUpstream();
    this.completed();
    this.connection.exchangeOver(true);
  }

  #flushClient(): void {
    const { out } = this.connection;
    if (!out.isEmpty) out.flush();
  }
}

/** RFC 9112 §6: a client of HTTP/1.0 knows no chunks. */
function clientFraming(framing: BodyFraming, request: ParsedRequestHead): ClientFraming {
  if (framing === "none" || framing === "length") return framing;
  return request.version === "1.0" ? "until-close" : "chunked";
}

import type { Socket } from "node:net";
import { ProxyError } from "../../errors/proxy-error.ts";
import type { ClientPeer } from "../exchange.ts";
import { clientClosed } from "../exchange-base.ts";
import type { Fault } from "../fault.ts";
import { HEAD_MS_MAX, LINGER_MS } from "../limits.ts";
import type { ServerCore } from "../server-core.ts";
import { Alarm } from "./alarm.ts";
import { ClientSocket } from "./client-socket.ts";
import { Http1Exchange } from "./exchange.ts";
import { localResponseText } from "./head-writer.ts";
import { IncomingBody } from "./incoming-body.ts";
import { beginsAsHttp2 } from "./preface.ts";
import { refusalAnswer, refusalText } from "./refusal.ts";
import type { ParsedRequestHead } from "./request-head.ts";
import { RequestParser } from "./request-parser.ts";

/**
 * Where a client connection is. `head`: between exchanges or in a head. `body`: an exchange runs and its body is not
 * read to its end. `answer`: it is. `discard`: answered, the rest of the body is swallowed. `tunnel`: bytes only.
 * `closing`: our last byte is written, and we wait for the client to close. `gone`: the socket is someone else's.
 */
type Phase = "head" | "body" | "answer" | "discard" | "tunnel" | "closing" | "gone";

/**
 * One HTTP/1.x connection of a client: one exchange at a time, pipelined ones in order.
 *
 * While an exchange is held, what the client sends on is kept up to `READ_AHEAD_BYTES_MAX`, and only then is the socket
 * paused. A paused socket does not see its peer leave, so this is what lets a client with no body, or a small one, be
 * missed at once. One that has sent more than that and leaves is noticed when its exchange goes on, or by its deadline.
 * A half-closed client counts as gone, except in a tunnel.
 */
export class ServerConnection<C> extends ClientSocket<C> {
  readonly #parser: RequestParser;
  readonly #body = new IncomingBody();
  /** For a head that takes too long, then for a client that does not close. */
  readonly #alarm: Alarm;
  #phase: Phase = "head";
  #exchange: Http1Exchange<C> | undefined;
  /** Nothing is known of what it speaks. */
  #isFresh: boolean;
  #isConsuming = false;
  /** The bytes behind this exchange mean nothing. */
  #isBroken = false;

  constructor(core: ServerCore<C>, accepted: Socket, peer: ClientPeer) {
    super(core, accepted, peer);
    const { socket } = this;
    this.#isFresh = !peer.isTls; // under TLS the protocol has been agreed on
    this.#parser = new RequestParser(core.limits.headBytesMax);
    this.#alarm = new Alarm(core.wheel, () => this.#timeIsUp());
    this.#alarm.arm(HEAD_MS_MAX);
    socket.on("end", () => this.#ended());
    socket.on("drain", () => this.#drained());
    socket.on("error", () => {}); // a close follows, and says all there is to say
    socket.on("close", () => this.#closed());
  }

  get bodyBytesLeft(): number {
    return this.#body.bytesLeft;
  }

  get isStreaming(): boolean {
    return this.#phase === "tunnel" || (this.#phase === "body" && this.#exchange?.isBodyTaken === true);
  }

  get isIdle(): boolean {
    return this.#phase === "head" && !this.#parser.isInHead && this.ahead.bytes === 0;
  }

  isLastRequest(head: ParsedRequestHead): boolean {
    return head.isLast || this.#isBroken || this.core.isDraining;
  }

  /** The exchange takes its body now: what has been read ahead goes first. */
  bodyWanted(): void {
    if (!this.#isConsuming) this.#goOn(); // otherwise the loop that is running does it
  }

  startTunnel(): void {
    this.#phase = "tunnel";
    if (!this.#isConsuming) this.#goOn();
  }

  /** The exchange has ended and its answer is written. */
  exchangeOver(isLast: boolean): void {
    this.#exchange = undefined;
    this.core.exchangeEnded();
    const isUnread = this.#phase === "body";
    if (this.#phase === "tunnel") {
      this.socket.destroy();
      return;
    }
    if (isLast || this.#isBroken || (this.core.isDraining && !isUnread)) {
      this.#close();
      return;
    }
    this.#phase = isUnread ? "discard" : "head";
    if (!this.#isConsuming) this.#goOn();
  }

  /** Ends the connection so that the client cannot take what it got for whole. */
  cut(how: { readonly isReset: boolean }): void {
    this.#phase = "closing";
    // Under TLS a close without a farewell is no clean end either, and there is no resetting it from here.
    if (how.isReset && !this.peer.isTls) this.socket.resetAndDestroy();
    else this.socket.destroy();
    if (this.#exchange !== undefined) {
      this.#exchange = undefined;
      this.core.exchangeEnded();
    }
  }

  /** Tells the client of a tunnel to leave, if what is in it has a word for that. */
  closeTunnel(): void {
    this.#exchange?.closeTunnel();
  }

  /** Closes it if it is between exchanges. */
  closeIfIdle(): void {
    if (this.isIdle) this.#close();
  }

  /** Ends it, whatever it is doing. */
  destroy(error: ProxyError): void {
    this.#exchange?.abort(error);
    this.socket.destroy();
  }

  #timeIsUp(): void {
    if (this.#phase === "head" || this.#phase === "closing") this.socket.destroy();
  }

  protected received(bytes: Buffer): void {
    if (this.#phase === "closing" || this.#phase === "gone") return;
    if (this.#isFresh) {
      this.#sniff(bytes);
      return;
    }
    if (this.ahead.bytes > 0) {
      this.keep(bytes);
      return;
    }
    this.#take(bytes);
  }

  #take(bytes: Buffer): void {
    const to = this.#consume(bytes, 0);
    if (to < bytes.length && this.#phase !== "closing") this.keep(to === 0 ? bytes : bytes.subarray(to));
  }

  #sniff(bytes: Buffer): void {
    const read = this.ahead.joinedWith(bytes);
    const isHttp2 = beginsAsHttp2(read);
    if (isHttp2 === "maybe") {
      this.keep(bytes);
      return;
    }
    this.#isFresh = false;
    this.ahead.forget();
    if (isHttp2 === "yes") this.#handOver(read);
    else this.#take(read);
  }

  #handOver(read: Buffer): void {
    this.#phase = "gone";
    this.#alarm.disarm();
    const socket = this.socket;
    for (const event of ["data", "drain", "error", "close"]) socket.removeAllListeners(event);
    socket.pause();
    this.core.speaksHttp2(socket, this.peer, read);
    this.core.connectionClosed(this);
  }

  /** Takes what the phase allows of `bytes[from, …)`. Returns where it stopped. */
  #consume(bytes: Buffer, from: number): number {
    this.#isConsuming = true;
    let at = from;
    const to = bytes.length;
    while (at < to) {
      const before = at;
      if (this.#phase === "head") at = this.#readHead(bytes, at, to);
      else if (this.#phase === "body") at = this.#readBody(bytes, at, to);
      else if (this.#phase === "discard") at = this.#discard(bytes, at, to);
      else if (this.#phase === "tunnel") {
        this.#exchange?.tunnelData(at === 0 ? bytes : bytes.subarray(at));
        at = to;
      } else if (this.#phase === "closing") at = to;
      if (at === before && this.#mustWait()) break;
    }
    this.#isConsuming = false;
    this.#exchange?.requestReadDone();
    return at;
  }

  /** Nothing of the bytes at hand may be taken before something else happens. */
  #mustWait(): boolean {
    switch (this.#phase) {
      case "answer":
        return true;
      case "body":
        return this.#exchange?.takesBody !== true;
      case "head":
        return this.needsDrain;
      default:
        return false;
    }
  }

  #readHead(bytes: Buffer, from: number, to: number): number {
    if (this.needsDrain) return from; // the client reads its answers slowly: no more of them
    const parser = this.#parser;
    const progress = parser.feed(bytes, from, to);
    if (progress === "more") {
      if (!this.#alarm.isArmed) this.#alarm.arm(HEAD_MS_MAX);
      return to;
    }
    if (this.#alarm.isArmed) this.#alarm.disarm();
    if (progress === "fault") {
      this.#refuse(parser.fault);
      return to;
    }
    this.keepBytes(); // a head is read where it lies, as long as there is an exchange
    this.#begin(parser.head);
    return parser.to;
  }

  #begin(head: ParsedRequestHead): void {
    if (head.targetTo === head.targetFrom + 1 && head.target === "*" && head.absoluteHost === undefined) {
      this.#answerServerOptions(head);
      return;
    }
    this.#body.start(head);
    this.#phase = head.hasBody ? "body" : "answer";
    const core = this.core;
    const exchange = new Http1Exchange<C>(this, head, {
      client: this.peer,
      context: core.context(head, this.peer),
      receivedAt: core.clock.now(),
    });
    this.#exchange = exchange;
    core.exchangeStarted();
    try {
      core.handler(exchange);
    } catch (error) {
      core.handlerThrew(error);
      exchange.abort(new ProxyError("upstream-closed", "internal error", { cause: error }));
    }
  }

  /** `OPTIONS *` asks the server itself. Q §3.5. */
  #answerServerOptions(head: ParsedRequestHead): void {
    const isLast = this.isLastRequest(head) || head.hasBody;
    const hop = { isLast, saysKeepAlive: head.version === "1.0", date: this.core.date(), hasBody: true };
    this.socket.write(localResponseText({ status: 200 }, hop, undefined), "latin1");
    if (isLast) this.#close();
  }

  #readBody(bytes: Buffer, from: number, to: number): number {
    const exchange = this.#exchange;
    if (exchange === undefined || !exchange.takesBody) return from;
    const body = this.#body;
    switch (body.give(exchange, bytes, from, to)) {
      case "full":
        this.pauseReading();
        break;
      case "end":
        this.#bodyEnded(exchange);
        break;
      case "fault":
        this.#isBroken = true;
        exchange.fail(new ProxyError(body.fault.code, refusalText(body.fault)));
        break;
    }
    return body.to;
  }

  #bodyEnded(exchange: Http1Exchange<C>): void {
    if (this.#phase === "body") this.#phase = "answer";
    exchange.requestEnd(this.#body.trailers);
    this.resumeReading();
  }

  #discard(bytes: Buffer, from: number, to: number): number {
    const progress = this.#body.swallow(bytes, from, to);
    if (progress === "too-much" || (progress === "end" && this.core.isDraining)) this.#close();
    else if (progress === "end") this.#phase = "head";
    return progress === "too-much" ? to : this.#body.to;
  }

  #refuse(fault: Fault): void {
    this.socket.write(refusalAnswer(fault, this.core.date()), "latin1");
    this.#close();
  }

  /** Takes up what was read ahead, as far as it may. */
  #goOn(): void {
    for (let bytes = this.ahead.shift(); bytes !== undefined; bytes = this.ahead.shift()) {
      const to = this.#consume(bytes, 0);
      if (to >= bytes.length) continue;
      if (this.#phase !== "closing") this.ahead.unshift(bytes.subarray(to)); // there is something to go back to
      break;
    }
    this.#exchange?.requestReadDone();
    if (this.ahead.bytes === 0 && !this.#isBlocked()) this.resumeReading();
  }

  /** The other side takes nothing now, so nothing is read for it. */
  #isBlocked(): boolean {
    return (
      this.#phase === "body" && this.#exchange?.state !== "received" && this.#exchange?.takesBody === false
    );
  }

  #drained(): void {
    if (this.#exchange !== undefined) this.#exchange.clientDrained();
    else this.#goOn();
  }

  #ended(): void {
    switch (this.#phase) {
      case "tunnel":
        this.#exchange?.tunnelClientEnd();
        return;
      case "body":
      case "answer":
        this.#exchange?.abort(clientClosed());
        return;
      case "gone":
        return;
      default:
        this.socket.destroy();
    }
  }

  #close(): void {
    this.#phase = "closing";
    this.ahead.forget();
    this.socket.end();
    this.resumeReading();
    this.#alarm.arm(LINGER_MS);
  }

  #closed(): void {
    this.#phase = "closing";
    this.#alarm.disarm();
    this.ahead.forget();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange !== undefined) {
      this.core.exchangeEnded();
      exchange.clientLeft();
    }
    this.core.connectionClosed(this);
  }
}

import { connect, type OnReadOpts, type Socket } from "node:net";
import { ProxyError } from "../../errors/proxy-error.ts";
import { field } from "../field.ts";
import type { FieldBlock } from "../field-block.ts";
import { TCP_KEEP_ALIVE_MS } from "../limits.ts";
import { connectTls, type UpstreamTls } from "../tls/upstream-tls.ts";
import { upstreamError } from "../upstream-error.ts";
import { BodyFramer } from "./body-framer.ts";
import { Outgoing } from "./outgoing.ts";
import type { ParsedResponseHead } from "./response-head.ts";
import { ResponseParser } from "./response-parser.ts";

/** Who waits for the answer on a connection. The bytes it is given are only good until it returns: `keepBuffer`. */
export interface UpstreamSink {
  /** Of the request, for the framing of its answer. */
  readonly method: string;
  /** An interim or final head; after a final one that switches protocols, bytes come by `upstreamTunnel`. */
  upstreamHead(head: ParsedResponseHead): "body" | "tunnel";
  upstreamData(bytes: Buffer, from: number, to: number): void;
  /** The whole answer is here. */
  upstreamEnd(trailers: FieldBlock | undefined): void;
  upstreamTunnel(bytes: Buffer, from: number, to: number): void;
  upstreamTunnelEnd(): void;
  /** All of one read has been reported: what was gathered may go out. */
  upstreamReadDone(): void;
  upstreamDrained(): void;
  /** The connection is of no use any more. `sawAnswer`: bytes of an answer had come. */
  upstreamFailed(error: ProxyError, sawAnswer: boolean): void;
}

/** What a connection tells its pool. */
export interface UpstreamOwner {
  upstreamConnected(connection: UpstreamConnection): void;
  upstreamClosed(connection: UpstreamConnection, cause: NodeJS.ErrnoException | undefined): void;
}

/** A server that says it closes after n seconds may do so a little early, and its FIN takes its time. */
const IDLE_MARGIN_MS = 1_000;

/**
 * Each connection reads into one buffer of its own, again and again, a small one until a read has filled it: most answers
 * are small, and thousands of connections may be opened at once for requests that wait for theirs. Bytes are written on
 * from where they lie. Only when the kernel did not take them at once the buffer stays with that write, and the next read
 * gets another.
 */
const READ_BYTES_MIN = 4_096;
const READ_BYTES_MAX = 65_536;

/** One HTTP/1.1 connection to an upstream: one exchange at a time, idle in its pool between them. */
export class UpstreamConnection {
  readonly socket: Socket;
  readonly out: Outgoing;
  readonly address: string;
  /** Answers it has given; 0 on a fresh one. */
  answers = 0;
  /** From `Keep-Alive: timeout=n`: how long the upstream keeps it idle. */
  idleMsMax = Number.POSITIVE_INFINITY;
  idleSinceMs = 0;
  isConnected = false;
  isClosed = false;
  #sink: UpstreamSink | undefined;
  readonly #owner: UpstreamOwner;
  readonly #parser = new ResponseParser();
  readonly #framer = new BodyFramer();
  #phase: "idle" | "head" | "body" | "tunnel" = "idle";
  #sawAnswer = false;
  #isReusable = true;
  #cause: NodeJS.ErrnoException | undefined;
  #buffer = Buffer.allocUnsafeSlow(READ_BYTES_MIN);
  #readBytes = READ_BYTES_MIN;
  #isBufferKept = false;

  constructor(
    owner: UpstreamOwner,
    to: { readonly ip: string; readonly port: number },
    tls: UpstreamTls | undefined,
  ) {
    this.#owner = owner;
    this.address = to.ip.includes(":") ? `[${to.ip}]:${to.port}` : `${to.ip}:${to.port}`;
    this.socket = tls === undefined ? this.#connect(to) : connectTls(to, tls, ["http/1.1"]);
    this.out = new Outgoing(this.socket);
    if (tls !== undefined) this.socket.on("data", (bytes) => this.#read(bytes, bytes.length));
    this.socket.on(tls === undefined ? "connect" : "secureConnect", () => {
      this.isConnected = true;
      this.#owner.upstreamConnected(this);
    });
    this.socket.on("drain", () => this.#sink?.upstreamDrained());
    this.socket.on("end", () => this.#ended());
    this.socket.on("error", (cause) => {
      this.#cause = cause;
    });
    this.socket.on("close", () => this.#closed());
  }

  /** Takes it for one exchange. What is written now is its request. */
  begin(sink: UpstreamSink): void {
    this.#sink = sink;
    this.#phase = "head";
    this.#sawAnswer = false;
    this.#isReusable = true;
  }

  /** Its exchange is over and whole: it may serve another. `false` when it may not. */
  release(): boolean {
    this.#sink = undefined;
    this.#phase = "idle";
    this.answers++;
    return this.#isReusable && !this.isClosed && !this.socket.destroyed;
  }

  /** Its exchange wants nothing more of it. */
  destroy(): void {
    this.#sink = undefined;
    this.socket.destroy();
  }

  /** The bytes of this read are still to be written by someone: they must not be read over. */
  keepBuffer(): void {
    this.#isBufferKept = true;
  }

  write(text: string): boolean {
    return this.socket.write(text, "latin1");
  }

  #connect(to: { readonly ip: string; readonly port: number }): Socket {
    const onread: OnReadOpts = {
      buffer: () => {
        if (this.#isBufferKept) this.#buffer = Buffer.allocUnsafeSlow(this.#readBytes);
        this.#isBufferKept = false;
        return this.#buffer;
      },
      callback: (bytesRead) => {
        if (bytesRead === READ_BYTES_MIN && this.#readBytes === READ_BYTES_MIN) {
          this.#readBytes = READ_BYTES_MAX;
          this.#isBufferKept = true;
        }
        this.#read(this.#buffer, bytesRead);
        return true;
      },
    };
    const socket = connect({ host: to.ip, port: to.port, noDelay: true, allowHalfOpen: true, onread });
    return socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
  }

  #read(bytes: Buffer, to: number): void {
    let at = 0;
    while (at < to) {
      const sink = this.#sink;
      if (sink === undefined) {
        this.socket.destroy(); // nobody asked: bytes behind an answer, or an unasked one
        return;
      }
      this.#sawAnswer = true;
      if (this.#phase === "tunnel") {
        sink.upstreamTunnel(bytes, at, to);
        return;
      }
      at = this.#phase === "head" ? this.#readHead(sink, bytes, at, to) : this.#readBody(sink, bytes, at, to);
      if (at < 0) return;
    }
    this.#sink?.upstreamReadDone();
  }

  #readHead(sink: UpstreamSink, bytes: Buffer, from: number, to: number): number {
    const parser = this.#parser;
    const progress = parser.feed(bytes, from, to);
    if (progress === "more") return to;
    if (progress === "fault") return this.#malformed(sink, parser.fault.reason);
    const { head } = parser;
    if (head.isLast) this.#isReusable = false;
    else if (this.answers === 0) this.#readKeepAlive(head);
    const next = sink.upstreamHead(head);
    if (this.#sink !== sink) return -1; // it took the head for an error
    if (head.status === 101) {
      if (next === "tunnel") this.#phase = "tunnel";
      this.#isReusable = false;
      return parser.to;
    }
    if (head.status < 200) return parser.to;
    const framing = head.framing(sink.method);
    if (framing === "until-close" || (head.status === 204 && head.isChunked)) this.#isReusable = false;
    this.#framer.start(framing, head.contentLength);
    this.#phase = "body";
    if (framing !== "none") return parser.to;
    return this.#end(sink, parser.to, to);
  }

  /** An upstream that says how long it keeps idle connections says the same each time. E-8. */
  #readKeepAlive(head: ParsedResponseHead): void {
    const index = head.indexOf(field.keepAlive);
    const seconds = index < 0 ? undefined : /(?:^|[\s,])timeout=(\d{1,6})/i.exec(head.value(index))?.[1];
    if (seconds !== undefined) this.idleMsMax = Math.max(0, Number(seconds) * 1_000 - IDLE_MARGIN_MS);
  }

  #readBody(sink: UpstreamSink, bytes: Buffer, from: number, to: number): number {
    const framer = this.#framer;
    switch (framer.read(bytes, from, to)) {
      case "data":
        sink.upstreamData(bytes, framer.dataFrom, framer.dataTo);
        if (this.#sink !== sink) return -1;
        // The end of a counted body is known with its last byte, not with the next read.
        if (framer.framing === "length" && framer.left === 0) return this.#end(sink, framer.to, to);
        return framer.to;
      case "end":
        return this.#end(sink, framer.to, to);
      case "fault":
        return this.#malformed(sink, framer.fault.reason);
      default:
        return to;
    }
  }

  /** Bytes behind a whole answer belong to no request: the connection cannot be trusted with another. */
  #end(sink: UpstreamSink, at: number, to: number): number {
    if (at < to) this.#isReusable = false;
    sink.upstreamEnd(this.#framer.trailers);
    return -1;
  }

  #malformed(sink: UpstreamSink, reason: string): number {
    this.#fail(sink, new ProxyError("upstream-malformed", `malformed HTTP response: ${reason}`));
    return -1;
  }

  #fail(sink: UpstreamSink, error: ProxyError): void {
    this.#sink = undefined;
    this.socket.destroy();
    sink.upstreamFailed(error, this.#sawAnswer);
  }

  #ended(): void {
    const sink = this.#sink;
    if (sink === undefined) {
      this.socket.destroy();
      return;
    }
    if (this.#phase === "tunnel") {
      sink.upstreamTunnelEnd();
      return;
    }
    if (this.#phase === "body" && this.#framer.mayEnd) {
      sink.upstreamEnd(undefined);
      return;
    }
    this.#fail(sink, upstreamError(this.address, undefined, this.#sawAnswer ? "body" : "head"));
  }

  #closed(): void {
    this.isClosed = true;
    const sink = this.#sink;
    this.#sink = undefined;
    this.#owner.upstreamClosed(this, this.#cause);
    if (sink === undefined) return;
    const during = this.#sawAnswer ? "body" : "head";
    sink.upstreamFailed(upstreamError(this.address, this.#cause, during), this.#sawAnswer);
  }
}

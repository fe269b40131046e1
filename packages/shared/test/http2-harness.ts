import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Hop } from "./http-harness.ts";

export const GRPC = {
  ":method": "POST",
  ":path": "/s/m",
  "content-type": "application/grpc",
  te: "trailers",
};

/** One HTTP/2 frame. RFC 9113 §4.1. */
export function frame(type: number, flags: number, stream: number, payload: string): string {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return head.toString("latin1") + payload;
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly body: string;
  readonly code: number | undefined;
  readonly isHeaderBlockLast: boolean;
}

export class Call {
  readonly stream: ClientHttp2Stream;
  readonly responded: Promise<void>;
  readonly closed: Promise<void>;
  body = "";
  #headers: IncomingHttpHeaders = {};
  #trailers: IncomingHttpHeaders | undefined;
  #isHeaderBlockLast = false;
  readonly #waiters: (() => void)[] = [];

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    this.responded = new Promise((resolve) => {
      stream.on("response", (headers, flags) => {
        this.#headers = headers;
        this.#isHeaderBlockLast = (flags & 1) !== 0;
        resolve();
      });
    });
    stream.on("trailers", (trailers) => {
      this.#trailers = trailers;
    });
    stream.on("error", () => {});
    stream.on("data", (bytes: Buffer) => {
      this.body += bytes.toString("latin1");
      for (const wake of this.#waiters.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => stream.on("close", () => resolve()));
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  async done(): Promise<Answer> {
    await this.closed;
    const status = this.#headers[":status"];
    return {
      status: status === undefined ? undefined : Number(status),
      headers: this.#headers,
      trailers: this.#trailers,
      body: this.body,
      code: this.stream.rstCode,
      isHeaderBlockLast: this.#isHeaderBlockLast,
    };
  }
}

export class Client implements Disposable {
  readonly session: ClientHttp2Session;

  constructor(hop: Hop) {
    this.session = connect(`http://127.0.0.1:${hop.server.address.port}`, {
      peerMaxConcurrentStreams: 1_000,
    });
    this.session.on("error", () => {});
  }

  /** With a body the request is whole; without one its stream stays open. */
  call(headers: OutgoingHttpHeaders, body?: string): Call {
    const stream = this.session.request(headers, { endStream: body === "" });
    if (body !== undefined && body !== "") stream.end(body);
    return new Call(stream);
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

export class Http2Origin implements AsyncDisposable {
  readonly ip = "127.0.0.1";
  readonly port: number;
  readonly streams: ServerHttp2Stream[] = [];
  readonly sessions: ServerHttp2Session[] = [];
  readonly #server: Http2Server | Http2SecureServer;
  readonly #waiters: (() => void)[] = [];

  private constructor(
    server: Http2Server | Http2SecureServer,
    port: number,
    onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  ) {
    this.#server = server;
    this.port = port;
    server.on("session", (session) => {
      this.sessions.push(session);
      session.on("error", () => {});
    });
    server.on("stream", (stream, headers) => {
      this.streams.push(stream);
      stream.on("error", () => {});
      if (headers[":path"] === "/local") stream.respond({ ":status": 200 }, { endStream: true });
      else onStream(stream, headers);
      for (const wake of this.#waiters.splice(0)) wake();
    });
  }

  /** With a certificate it speaks TLS. */
  static async start(
    onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
    certificate?: { readonly cert: string; readonly key: string; readonly ca?: string },
  ): Promise<Http2Origin> {
    const settings = { maxConcurrentStreams: 250 };
    const asks = certificate?.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
    const server =
      certificate === undefined
        ? createServer({ settings })
        : createSecureServer({ settings, ...certificate, ...asks });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return new Http2Origin(server, address.port, onStream);
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

import type { Http2Server, Http2Session, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import type { ClientPeer } from "../exchange.ts";
import type { ServerCore } from "../server-core.ts";
import { Http2Exchange } from "./exchange.ts";
import { http2Library } from "./library.ts";
import { Http2RequestHead } from "./request-head.ts";
import { ResetBudget } from "./reset-budget.ts";

/** Q-76 asks for 250 or more; activators multiplex onto few connections. */
const STREAMS_MAX = 1_000;
const WINDOW_BYTES = 1_048_576;
const HEADER_LIST_BYTES_MAX = 1_048_896;
/** Header lists are bounded by bytes, not by number. Q §13. */
const HEADER_PAIRS_MAX = 65_535;
const SESSION_MEMORY_MIB_MAX = 256;
const END_STREAM_FLAG = 1;
/** RFC 9113 §7. */
const ENHANCE_YOUR_CALM = 11;
/** nghttp2 has a bound of its own on resets, which says INTERNAL_ERROR: above ours, for resets behind an answer. */
const STREAM_RESETS = { streamResetBurst: 4_000, streamResetRate: 200 };

interface Client {
  readonly peer: ClientPeer;
  readonly socket: Duplex;
}

interface ConnectedClient extends Client {
  readonly resets: ResetBudget;
}

/** The HTTP/2 side of a server: takes over connections that turn out to speak it. */
export class Http2Front<C> {
  readonly #core: ServerCore<C>;
  readonly #server: Http2Server;
  readonly #sessions = new Map<Http2Session, ConnectedClient>();
  /** The connection that is being handed over. */
  #arriving: Client | undefined;
  readonly #closed: () => void;

  constructor(core: ServerCore<C>, closed: () => void) {
    this.#core = core;
    this.#closed = closed;
    this.#server = http2Library().createServer({
      maxHeaderListPairs: HEADER_PAIRS_MAX,
      maxSessionMemory: SESSION_MEMORY_MIB_MAX,
      strictSingleValueFields: false, // repeated fields stay repeated: Q-30
      ...STREAM_RESETS,
      settings: {
        maxConcurrentStreams: STREAMS_MAX,
        initialWindowSize: WINDOW_BYTES,
        maxHeaderListSize: HEADER_LIST_BYTES_MAX,
        enableConnectProtocol: false,
      },
    });
    this.#server.on("session", (session) => this.#began(session));
    this.#server.on("sessionError", () => {}); // the session closes, and its streams with it
    this.#server.on("stream", (stream, _headers, flags, raw) => this.#received(stream, flags, raw));
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Hands over a connection. What has been read of it was put back. */
  adopt(socket: Duplex, peer: ClientPeer): void {
    this.#arriving = { peer, socket };
    this.#server.emit("connection", socket);
    this.#arriving = undefined;
  }

  /** GOAWAY to every client: streams under way finish, new ones go elsewhere. Q-121. */
  drain(): void {
    for (const session of this.#sessions.keys()) session.close();
  }

  destroyAll(): void {
    for (const [session, { socket }] of this.#sessions) {
      session.destroy();
      socket.destroy(); // one that was told to close would wait for its client
    }
  }

  #began(session: ServerHttp2Session): void {
    const client = this.#arriving;
    if (client === undefined) {
      session.destroy();
      return;
    }
    const resets = new ResetBudget(this.#core.clock, () =>
      session.destroy(new Error("too many requests taken back"), ENHANCE_YOUR_CALM),
    );
    this.#sessions.set(session, { ...client, resets });
    session.setLocalWindowSize(WINDOW_BYTES);
    session.on("error", () => {});
    session.on("close", () => {
      this.#sessions.delete(session);
      this.#closed();
    });
    if (this.#core.isDraining) session.close();
  }

  #received(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    const client = stream.session === undefined ? undefined : this.#sessions.get(stream.session);
    if (client === undefined) {
      stream.destroy();
      return;
    }
    const { peer, resets } = client;
    const core = this.#core;
    const head = new Http2RequestHead(raw);
    const exchange = new Http2Exchange<C>(
      stream,
      {
        hasBody: (flags & END_STREAM_FLAG) === 0,
        forwardedFor: core.addsForwardedFor ? peer.ip : undefined,
        core,
        resets,
      },
      { head, client: peer, context: core.context(head, peer), receivedAt: core.clock.now() },
    );
    exchange.run(core.handler);
  }
}

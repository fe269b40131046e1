import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Clock } from "../../clock/clock.ts";
import type { ProxyError } from "../../errors/proxy-error.ts";
import { assert } from "../../invariant.ts";
import { http2Library } from "./library.ts";

/** Streams we open before the upstream has said how many it takes. RFC 9113 §6.5.2 asks for no fewer than this. */
const STREAMS_BEFORE_SETTINGS = 100;
const WINDOW_BYTES = 1_048_576;
/** Header lists to 10 MiB, as for HTTP/1.1. Q §13. */
const HEADER_LIST_BYTES_MAX = 10_485_760;
const HEADER_PAIRS_MAX = 65_535;
const SESSION_MEMORY_MIB_MAX = 256;
/** What a client of HTTP/2 reads when there is none behind us: nothing is translated. Q-31. */
export const NOT_HTTP2 = "the program does not speak HTTP/2";

export interface SessionTaker {
  sessionReady(session: UpstreamSession): void;
  sessionFailed(error: ProxyError): void;
}

export interface SessionDeps {
  readonly clock: Clock;
  readonly idleMs: number;
  /** `http://host:port`, for `:authority` when a request has none. */
  readonly origin: string;
  /** Opens a connection; tells of the outcome once. Dispose to give up. */
  dial(taker: { ready(socket: Socket): void; failed(error: ProxyError): void }): Disposable;
}

/**
 * HTTP/2 sessions to one endpoint. Streams share one session until its limit, then a further one is opened. A
 * session that says GOAWAY takes no more streams and finishes those it has.
 */
export class UpstreamSessions {
  readonly #deps: SessionDeps;
  readonly #sessions: UpstreamSession[] = [];
  #waiting: SessionTaker[] = [];
  #dial: Disposable | undefined;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  get sessionCount(): number {
    return this.#sessions.length;
  }

  /** A session with room, now or later by `taker`. */
  take(taker: SessionTaker): UpstreamSession | undefined {
    const free = this.#sessions.find((session) => session.hasRoom);
    if (free !== undefined) return free;
    this.#waiting.push(taker);
    this.#dialIfNeeded();
    return undefined;
  }

  giveUp(taker: SessionTaker): void {
    this.#waiting = this.#waiting.filter((other) => other !== taker);
    if (this.#waiting.length === 0) {
      this.#dial?.[Symbol.dispose]();
      this.#dial = undefined;
    }
  }

  /** Streams under way finish; those who wait for a session get `reason`. */
  close(reason: ProxyError): void {
    this.#dial?.[Symbol.dispose]();
    this.#dial = undefined;
    for (const taker of this.#waiting.splice(0)) taker.sessionFailed(reason);
    for (const session of [...this.#sessions]) session.close();
  }

  #dialIfNeeded(): void {
    if (this.#dial !== undefined || this.#waiting.length === 0) return;
    let isOver = false;
    const dial = this.#deps.dial({
      ready: (socket) => {
        isOver = true;
        this.#dial = undefined;
        this.#opened(socket);
      },
      failed: (error) => {
        isOver = true;
        this.#dial = undefined;
        for (const taker of this.#waiting.splice(0)) taker.sessionFailed(error);
      },
    });
    if (!isOver) this.#dial = dial;
  }

  #opened(socket: Socket): void {
    const session = new UpstreamSession(socket, this.#deps, () => {
      const at = this.#sessions.indexOf(session);
      if (at >= 0) this.#sessions.splice(at, 1);
    });
    this.#sessions.push(session);
    while (session.hasRoom) {
      const taker = this.#waiting.shift();
      if (taker === undefined) return;
      taker.sessionReady(session);
    }
    this.#dialIfNeeded();
  }
}

/** One HTTP/2 connection to an upstream. */
export class UpstreamSession {
  readonly #session: ClientHttp2Session;
  readonly #clock: Clock;
  readonly #idleMs: number;
  #streams = 0;
  #isGoingAway = false;
  #hasSettings = false;
  #idleSinceMs: number;
  #sweep: Disposable | undefined;

  constructor(socket: Socket, deps: SessionDeps, closed: () => void) {
    this.#clock = deps.clock;
    this.#idleMs = deps.idleMs;
    this.#idleSinceMs = deps.clock.now();
    const options = {
      createConnection: () => socket,
      maxHeaderListPairs: HEADER_PAIRS_MAX,
      maxSessionMemory: SESSION_MEMORY_MIB_MAX,
      maxSendHeaderBlockLength: HEADER_LIST_BYTES_MAX,
      strictSingleValueFields: false, // repeated fields stay repeated: Q-30. Node's types know it on servers only
      settings: {
        enablePush: false,
        initialWindowSize: WINDOW_BYTES,
        maxHeaderListSize: HEADER_LIST_BYTES_MAX,
      },
    };
    this.#session = http2Library().connect(deps.origin, options);
    this.#session.once("connect", () => this.#session.setLocalWindowSize(WINDOW_BYTES));
    this.#session.once("remoteSettings", () => {
      this.#hasSettings = true;
    });
    this.#session.on("goaway", () => this.#leave(closed));
    this.#session.on("error", () => {}); // its streams tell of it
    this.#session.on("close", () => this.#leave(closed));
    this.#armSweep(deps.idleMs);
  }

  /** Its peer has sent what every HTTP/2 connection begins with. RFC 9113 §3.4. */
  get speaksHttp2(): boolean {
    return this.#hasSettings;
  }

  get hasRoom(): boolean {
    if (this.#isGoingAway || this.#session.closed || this.#session.destroyed) return false;
    const limit = this.#session.remoteSettings?.maxConcurrentStreams ?? STREAMS_BEFORE_SETTINGS;
    return this.#streams < limit;
  }

  /** Opens a stream; throws when the header list cannot be sent. Balance with `streamClosed`. */
  request(headers: readonly string[], how: { readonly isWhole: boolean }): ClientHttp2Stream {
    const stream = this.#session.request(headers, { endStream: how.isWhole, waitForTrailers: !how.isWhole });
    this.#streams++;
    return stream;
  }

  streamClosed(): void {
    this.#streams--;
    assert(this.#streams >= 0, "more streams closed than opened");
    if (this.#streams === 0) this.#idleSinceMs = this.#clock.now();
  }

  close(): void {
    this.#isGoingAway = true;
    this.#session.close();
  }

  #leave(closed: () => void): void {
    this.#isGoingAway = true;
    this.#sweep?.[Symbol.dispose]();
    this.#sweep = undefined;
    closed();
  }

  #armSweep(delayMs: number): void {
    this.#sweep = this.#clock.after(delayMs, () => {
      this.#sweep = undefined;
      const leftMs = this.#streams > 0 ? this.#idleMs : this.#idleSinceMs + this.#idleMs - this.#clock.now();
      if (leftMs <= 0) this.close();
      else this.#armSweep(leftMs);
    });
  }
}

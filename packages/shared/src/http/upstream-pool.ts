import { connect, type Socket } from "node:net";
import type { Clock } from "../clock/clock.ts";
import { ProxyError } from "../errors/proxy-error.ts";
import type { Random } from "../random.ts";
import type { Upstream } from "./exchange.ts";
import { Dial } from "./h1/dial.ts";
import { UpstreamConnection } from "./h1/upstream-connection.ts";
import { NOT_HTTP2, UpstreamSessions } from "./h2/upstream-sessions.ts";
import { connectTls, type UpstreamTls } from "./tls/upstream-tls.ts";

export interface UpstreamPoolDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export interface UpstreamPoolOptions {
  readonly ip: string;
  readonly port: number;
  /** Idle connections kept; more are closed. Q-32. */
  readonly idleMax?: number;
  /** How long one may be idle. */
  readonly idleMs?: number;
  /** Asked at each connection, so that certificates may change. Without it connections are plain. */
  readonly tls?: () => UpstreamTls;
  /** Attempts to connect beyond the first, when connecting times out. Q-33. */
  readonly dialRetriesMax?: number;
}

/** Who waits for a connection. */
export interface ConnectionTaker {
  connectionReady(connection: UpstreamConnection): void;
  connectionFailed(error: ProxyError): void;
}

const IDLE_MAX = 1_000;
const IDLE_MS = 90_000;
const DIAL_RETRIES_MAX = 15;
const DIALS_AT_ONCE_MAX = 64;

/**
 * HTTP/1.1 connections to one endpoint. Busy ones are not limited; idle ones are, in number and in time. The one used
 * last is used first, so that the rest may go. An idle connection is read all the time: one the upstream closed leaves
 * the pool when the close arrives, not when it is next used. Q-32.
 */
export class UpstreamPool implements Upstream {
  readonly ip: string;
  readonly port: number;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #idleMax: number;
  readonly #idleMs: number;
  readonly #dialRetriesMax: number;
  readonly #tls: (() => UpstreamTls) | undefined;
  /** Longest idle first. */
  readonly #idle: UpstreamConnection[] = [];
  readonly #open = new Set<UpstreamConnection>();
  readonly #dials = new Map<UpstreamConnection, Dial<UpstreamConnection>>();
  /** Everyone who waits for a connection, in an attempt or between two. */
  readonly #waiting = new Set<Dial<UpstreamConnection>>();
  #sessions: UpstreamSessions | undefined;
  #sweep: Disposable | undefined;
  #dialsInTurn = 0;
  #isClosed = false;

  constructor(deps: UpstreamPoolDeps, options: UpstreamPoolOptions) {
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.ip = options.ip;
    this.port = options.port;
    this.#idleMax = options.idleMax ?? IDLE_MAX;
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.#tls = options.tls;
    this.#dialRetriesMax = options.dialRetriesMax ?? DIAL_RETRIES_MAX;
  }

  /** `ip:port` as it stands in a URL. */
  get address(): string {
    return this.ip.includes(":") ? `[${this.ip}]:${this.port}` : `${this.ip}:${this.port}`;
  }

  get scheme(): "http" | "https" {
    return this.#tls === undefined ? "http" : "https";
  }

  /** The same endpoint by HTTP/2, for exchanges that came by it. Q-31. */
  get sessions(): UpstreamSessions {
    this.#sessions ??= new UpstreamSessions({
      clock: this.#clock,
      idleMs: this.#idleMs,
      origin: `${this.scheme}://${this.address}`,
      dial: (taker) => this.#dialSocket(taker),
    });
    return this.#sessions;
  }

  get idleCount(): number {
    return this.#idle.length;
  }

  /** Connections that are open or being opened, idle ones included. */
  get openCount(): number {
    return this.#open.size;
  }

  /** An idle connection that is alive as far as anyone knows; `undefined` when there is none. */
  takeIdle(): UpstreamConnection | undefined {
    for (let found = this.#idle.pop(); found !== undefined; found = this.#idle.pop()) {
      if (!found.isClosed && !found.socket.destroyed && !this.#isStale(found)) return found;
      found.destroy();
    }
    return undefined;
  }

  /** Connects, and tells `taker` of the outcome. Dispose the result to give up. */
  dial(taker: ConnectionTaker): Disposable {
    const dial: Dial<UpstreamConnection> = new Dial(
      { clock: this.#clock, random: this.#random },
      { address: this.address },
      {
        retriesMax: this.#dialRetriesMax,
        open: (): UpstreamConnection => this.#connect(dial),
        ready: (connection) => taker.connectionReady(connection),
        failed: (error) => taker.connectionFailed(error),
        over: () => void this.#waiting.delete(dial),
      },
    );
    this.#waiting.add(dial);
    this.#startSoon(dial);
    return dial;
  }

  /** Takes a connection back whose exchange is over. */
  putBack(connection: UpstreamConnection): void {
    if (!connection.release() || this.#isClosed || this.#idle.length >= this.#idleMax) {
      connection.socket.destroy();
      return;
    }
    connection.idleSinceMs = this.#clock.now();
    this.#idle.push(connection);
    if (this.#sweep === undefined) this.#armSweep(Math.min(this.#idleMs, connection.idleMsMax));
  }

  /** Closes idle connections now and busy ones when their exchange is over; who waits for one is told there is none. */
  close(): void {
    this.#isClosed = true;
    this.#sweep?.[Symbol.dispose]();
    this.#sweep = undefined;
    for (const connection of this.#idle.splice(0)) connection.destroy();
    const gone = new ProxyError("upstream-closed", `connections to ${this.address} are being closed`);
    for (const dial of [...this.#waiting]) dial.fail(gone);
    this.#sessions?.close(gone);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Now; but when thousands leave a queue at once, places go to others who are leaving as well, which is only not read
   * yet. Behind a number of dials in one turn of the event loop the next ones wait for its end: most are given up by then.
   */
  #startSoon(dial: Dial<UpstreamConnection>): void {
    if (this.#dialsInTurn === 0) {
      this.#clock.soonInBulk(() => {
        this.#dialsInTurn = 0;
      });
    }
    this.#dialsInTurn++;
    if (this.#dialsInTurn <= DIALS_AT_ONCE_MAX) dial.start();
    else this.#clock.soonInBulk(() => dial.start());
  }

  /** A bare connection, for a session. */
  #dialSocket(taker: { ready(socket: Socket): void; failed(error: ProxyError): void }): Disposable {
    const dial: Dial<Socket> = new Dial(
      { clock: this.#clock, random: this.#random },
      { address: this.address },
      {
        retriesMax: this.#dialRetriesMax,
        open: (): Socket => {
          const tls = this.#tls?.();
          const socket =
            tls === undefined
              ? connect({ host: this.ip, port: this.port, noDelay: true, keepAlive: true })
              : connectTls(this, tls, ["h2", "http/1.1"]);
          let cause: Error | undefined;
          const failed = (error: Error): void => {
            cause = error;
          };
          const closed = (): void => dial.closed(socket, cause);
          socket.once("error", failed);
          socket.once("close", closed);
          socket.once(tls === undefined ? "connect" : "secureConnect", () => {
            socket.off("error", failed);
            socket.off("close", closed);
            dial.connected(socket);
          });
          return socket;
        },
        ready: (socket) => {
          const agreed = "alpnProtocol" in socket ? socket.alpnProtocol : "h2"; // known beforehand without TLS
          if (agreed === "h2" || (agreed === false && this.#tls?.().assumesHttp2 === true))
            taker.ready(socket);
          else {
            socket.on("error", () => {});
            socket.destroy();
            taker.failed(new ProxyError("upstream-malformed", NOT_HTTP2));
          }
        },
        failed: (error) => taker.failed(error),
      },
    );
    dial.start();
    return dial;
  }

  #connect(dial: Dial<UpstreamConnection>): UpstreamConnection {
    const connection = new UpstreamConnection(
      {
        upstreamConnected: (opened) => {
          this.#dials.delete(opened);
          dial.connected(opened);
        },
        upstreamClosed: (closed, cause) => {
          this.#open.delete(closed);
          const waiting = this.#dials.get(closed);
          this.#dials.delete(closed);
          waiting?.closed(closed, cause);
          const at = this.#idle.lastIndexOf(closed);
          if (at >= 0) this.#idle.splice(at, 1);
        },
      },
      this,
      this.#tls?.(),
    );
    this.#open.add(connection);
    this.#dials.set(connection, dial);
    return connection;
  }

  /** Its upstream is about to close it, by its own word: a request sent now might meet the close. */
  #isStale(connection: UpstreamConnection): boolean {
    if (connection.idleMsMax === Number.POSITIVE_INFINITY) return false;
    return this.#clock.now() - connection.idleSinceMs >= connection.idleMsMax;
  }

  /** One timer for all idle connections: it wakes when the oldest may have been idle for long enough. */
  #armSweep(delayMs: number): void {
    this.#sweep = this.#clock.after(delayMs, () => {
      this.#sweep = undefined;
      const now = this.#clock.now();
      let restMs = Number.POSITIVE_INFINITY;
      for (const connection of [...this.#idle]) {
        const leftMs = connection.idleSinceMs + Math.min(this.#idleMs, connection.idleMsMax) - now;
        if (leftMs <= 0) connection.destroy();
        else restMs = Math.min(restMs, leftMs);
      }
      if (restMs !== Number.POSITIVE_INFINITY) this.#armSweep(restMs);
    });
  }
}

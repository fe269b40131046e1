import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Clock, httpDate } from "../clock/clock.ts";
import type { TimerWheel } from "../clock/timer-wheel.ts";
import { ProxyError } from "../errors/proxy-error.ts";
import { assert } from "../invariant.ts";
import type { Logger } from "../log/logger.ts";
import type { Handler } from "./chain.ts";
import type { ClientPeer, RequestHead } from "./exchange.ts";
import { ReadBuffers } from "./h1/client-reads.ts";
import { ServerConnection } from "./h1/server-connection.ts";
import { Http2Front } from "./h2/front.ts";
import type { ServerCore } from "./server-core.ts";

export interface ServerConnectionsDeps<C> {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly handler: Handler<C>;
  readonly context: (request: RequestHead, peer: ClientPeer) => C;
  readonly log: Logger;
  readonly limits: ServerCore<C>["limits"];
  readonly addsForwardedFor: boolean;
}

/** The connections of one server, what is under way on them, and how all of it comes to an end. */
export class ServerConnections<C> implements ServerCore<C> {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly handler: Handler<C>;
  readonly context: (request: RequestHead, peer: ClientPeer) => C;
  readonly #log: Logger;
  readonly limits: ServerCore<C>["limits"];
  readonly addsForwardedFor: boolean;
  readonly readBuffers = new ReadBuffers();
  isDraining = false;
  areTunnelsClosing = false;
  readAheadBytes = 0;
  exchangeCount = 0;
  readonly #connections = new Set<ServerConnection<C>>();
  readonly #waiters: (() => void)[] = [];
  #http2: Http2Front<C> | undefined;
  #dateSecond = -1;
  #dateText = "";

  constructor(deps: ServerConnectionsDeps<C>) {
    this.clock = deps.clock;
    this.wheel = deps.wheel;
    this.handler = deps.handler;
    this.context = deps.context;
    this.#log = deps.log;
    this.limits = deps.limits;
    this.addsForwardedFor = deps.addsForwardedFor;
  }

  get connectionCount(): number {
    return this.#connections.size + (this.#http2?.sessionCount ?? 0);
  }

  accept(socket: Socket, { isTls }: { readonly isTls: boolean }): void {
    const peer = peerOf(socket, isTls);
    if (peer === undefined) socket.destroy();
    else this.#connections.add(new ServerConnection<C>(this, socket, peer));
  }

  /** A TLS connection that has agreed on HTTP/2. */
  acceptHttp2(socket: TLSSocket): void {
    const peer = peerOf(socket, true);
    if (peer === undefined) socket.destroy();
    else this.#front().adopt(socket, peer);
  }

  date(): string {
    const wall = this.clock.wall();
    const second = Math.floor(wall / 1_000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#dateText = httpDate(wall);
    }
    return this.#dateText;
  }

  exchangeStarted(): void {
    this.exchangeCount++;
  }

  exchangeEnded(): void {
    this.exchangeCount--;
    assert(this.exchangeCount >= 0, "more exchanges ended than began");
    if (this.exchangeCount === 0) this.#wakeWaiters();
  }

  handlerThrew(error: unknown): void {
    this.#log.error("a layer threw", {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }

  speaksHttp2(socket: Socket, peer: ClientPeer, read: Buffer): void {
    socket.unshift(read);
    this.#front().adopt(socket, peer);
  }

  #front(): Http2Front<C> {
    this.#http2 ??= new Http2Front<C>(this, () => this.#wakeWaiters());
    return this.#http2;
  }

  connectionClosed(connection: ServerConnection<C>): void {
    this.#connections.delete(connection);
    if (this.connectionCount === 0) this.#wakeWaiters();
  }

  async drain(): Promise<void> {
    this.isDraining = true;
    for (const connection of this.#connections) connection.closeIfIdle();
    this.#http2?.drain();
    await this.#until(() => this.exchangeCount === 0);
  }

  closeTunnels(): void {
    this.areTunnelsClosing = true;
    for (const connection of this.#connections) connection.closeTunnel();
  }

  async destroyAll(): Promise<void> {
    this.isDraining = true;
    const error = new ProxyError("draining", "shutting down");
    for (const connection of this.#connections) connection.destroy(error);
    this.#http2?.destroyAll();
    await this.#until(() => this.connectionCount === 0 && this.exchangeCount === 0);
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  #wakeWaiters(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

/** `undefined` for a client that was gone before we looked. */
function peerOf(socket: Socket, isTls: boolean): ClientPeer | undefined {
  const ip = socket.remoteAddress;
  return ip === undefined ? undefined : { ip: plainIp(ip), port: socket.remotePort ?? 0, isTls };
}

/** An IPv4 client of a dual-stack listener, without its IPv6 clothing. */
function plainIp(ip: string): string {
  return ip.startsWith("::ffff:") ? ip.slice("::ffff:".length) : ip;
}

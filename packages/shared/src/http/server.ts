import { createServer, type Server, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type SecureContext,
  type TLSSocket,
  type Server as TlsServer,
} from "node:tls";
import { type Clock, httpDate } from "../clock/clock.ts";
import { TimerWheel } from "../clock/timer-wheel.ts";
import { ProxyError } from "../errors/proxy-error.ts";
import { assert } from "../invariant.ts";
import { type Logger, silentLogger } from "../log/logger.ts";
import type { Handler } from "./chain.ts";
import type { ClientPeer, RequestHead } from "./exchange.ts";
import { ServerConnection } from "./h1/server-connection.ts";
import { Http2Front } from "./h2/front.ts";
import { READ_AHEAD_TOTAL_BYTES_MAX, REQUEST_HEAD_BYTES_MAX, TCP_KEEP_ALIVE_MS } from "./limits.ts";
import type { ServerCore } from "./server-core.ts";

export interface HttpServerDeps<C> {
  readonly clock: Clock;
  readonly handler: Handler<C>;
  /** Makes the program's own part of each exchange. */
  readonly context: (request: RequestHead, peer: ClientPeer) => C;
  readonly log?: Logger;
}

export interface HttpServerOptions {
  /** `::` = all interfaces of both stacks, or of IPv4 where the machine has no other. */
  readonly ip: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Connections the kernel keeps for us while we are busy. */
  readonly backlog?: number;
  readonly headBytesMax?: number;
  /** What may be read ahead of held exchanges in all. */
  readonly readAheadTotalBytesMax?: number;
  /** With it the listener speaks TLS only, HTTP/2 and 1.1 by ALPN. */
  readonly certificate?: ServerCertificate;
  /** What a client sees that asks for a server by this name; the one above where it gives none. */
  readonly contextOf?: (serverName: string) => SecureContext | undefined;
  /** Whether HTTP/2 is agreed on with clients of that server; always, unless told. An exchange keeps its version. */
  readonly speaksHttp2?: (serverName: string) => boolean;
  /** Whether the client is added to `X-Forwarded-For`. Default: yes. */
  readonly addsForwardedFor?: boolean;
}

/** What a TLS listener shows its clients, in PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
  /** Whom clients' own certificates must come from; without it none is asked for. */
  readonly clientCa?: string;
}

export interface DrainOptions {
  /** By then the clients of WebSockets are told to leave. Without it they are not: a tunnel may take its time. */
  readonly tunnelsCloseAfterMs?: number;
}

/** A client that does not finish its handshake by then is gone. */
const HANDSHAKE_MS = 10_000;
/** Said to Node by no host at all: a name, as it calls that, is looked up and checked, for 5 ms of a process's start. */
const ALL_INTERFACES = "::";
/** The kernel lowers it to `somaxconn`. */
const BACKLOG = 4_096;

/** Listens on one address and turns what comes into exchanges. */
export class HttpServer implements AsyncDisposable {
  readonly address: { readonly ip: string; readonly port: number };
  /** Deadlines of exchanges, for layers that have some. */
  readonly wheel: TimerWheel;
  readonly #shell: Shell;

  private constructor(
    shell: Shell,
    wheel: TimerWheel,
    address: { readonly ip: string; readonly port: number },
  ) {
    this.#shell = shell;
    this.wheel = wheel;
    this.address = address;
  }

  /** Starts listening. Rejects when the address is taken. */
  static async start<C>(deps: HttpServerDeps<C>, options: HttpServerOptions): Promise<HttpServer> {
    const wheel = new TimerWheel(deps.clock);
    const core = new Core<C>(deps, options, wheel);
    const server =
      options.certificate === undefined ? plainServer(core) : tlsServer(core, options.certificate, options);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      const { ip, port, backlog = BACKLOG } = options;
      server.listen({ ...(ip === ALL_INTERFACES ? {} : { host: ip }), port, backlog }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    server.on("error", (error) => core.log.error("listener failed", { error: error.message }));
    const bound = server.address();
    assert(bound !== null && typeof bound === "object", "a TCP listener has an address");
    return new HttpServer({ core, server }, wheel, { ip: bound.address, port: bound.port });
  }

  /** New connections see this certificate; those there are keep the old one. Only for a TLS listener. */
  setCertificate(certificate: ServerCertificate): void {
    const { server } = this.#shell;
    assert("setSecureContext" in server, "a listener without TLS has no certificate");
    server.setSecureContext(tlsOptions(certificate));
  }

  /** Exchanges under way, held ones and tunnels included. */
  get exchangeCount(): number {
    return this.#shell.core.exchangeCount;
  }

  get connectionCount(): number {
    return this.#shell.core.connectionCount;
  }

  /** Request bytes that wait for held exchanges. */
  get readAheadBytes(): number {
    return this.#shell.core.readAheadBytes;
  }

  /** Stops accepting, closes idle connections, tells the others to close, and waits for all exchanges to end. */
  async drain({ tunnelsCloseAfterMs }: DrainOptions = {}): Promise<void> {
    const { core, server } = this.#shell;
    if (server.listening) server.close();
    using _timer =
      tunnelsCloseAfterMs === undefined
        ? undefined
        : core.clock.after(tunnelsCloseAfterMs, () => core.closeTunnels());
    await core.drain();
  }

  /** Tells the clients of WebSockets, and of those to come, to leave: close code 1001. One that stays is cut after a while. */
  closeTunnels(): void {
    this.#shell.core.closeTunnels();
  }

  /** Drains for up to `graceMs`, then cuts what is left. May be called twice. */
  async close(graceMs = 0): Promise<void> {
    const { core, server } = this.#shell;
    if (server.listening) server.close();
    const drained = core.drain();
    if (graceMs > 0 && core.exchangeCount > 0) {
      const grace = Promise.withResolvers<void>();
      using _timer = core.clock.after(graceMs, () => grace.resolve());
      await Promise.race([drained, grace.promise]);
    }
    await core.destroyAll();
    this.wheel.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

interface Shell {
  readonly server: Server | TlsServer;
  readonly core: Pick<
    Core<never>,
    "exchangeCount" | "connectionCount" | "readAheadBytes" | "drain" | "closeTunnels" | "destroyAll" | "clock"
  >;
}

/** How both kinds of listener take connections. Half-open ones are ours to end. */
const LISTENER = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
} as const;

function plainServer<C>(core: Core<C>): Server {
  const server = createServer(LISTENER);
  server.on("connection", (socket: Socket) => core.accept(socket, { isTls: false }));
  return server;
}

function tlsServer<C>(
  core: Core<C>,
  certificate: ServerCertificate,
  { contextOf, speaksHttp2 }: Pick<HttpServerOptions, "contextOf" | "speaksHttp2">,
): TlsServer {
  const server = createTlsServer({
    ...LISTENER,
    ...(contextOf === undefined ? {} : { SNICallback: sniCallback(contextOf) }),
    ...tlsOptions(certificate),
    ...(speaksHttp2 === undefined
      ? { ALPNProtocols: ["h2", "http/1.1"] }
      : { ALPNCallback: alpnCallback(speaksHttp2) }),
    handshakeTimeout: HANDSHAKE_MS,
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    if (socket.alpnProtocol === "h2") core.acceptHttp2(socket);
    else core.accept(socket, { isTls: true });
  });
  return server;
}

/** What is agreed on with a client of a server; `undefined` refuses the connection, as RFC 7301 §3.2 wants. */
function alpnCallback(speaksHttp2: (serverName: string) => boolean) {
  return ({ servername, protocols }: { servername: string; protocols: string[] }): string | undefined =>
    (speaksHttp2(servername) ? ["h2", "http/1.1"] : ["http/1.1"]).find((each) => protocols.includes(each));
}

function sniCallback(contextOf: NonNullable<HttpServerOptions["contextOf"]>) {
  return (serverName: string, done: (error: Error | null, context?: SecureContext) => void): void =>
    done(null, contextOf(serverName));
}

function tlsOptions({ cert, key, clientCa }: ServerCertificate) {
  return clientCa === undefined
    ? { cert, key }
    : { cert, key, ca: clientCa, requestCert: true, rejectUnauthorized: true };
}

class Core<C> implements ServerCore<C> {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly handler: Handler<C>;
  readonly context: (request: RequestHead, peer: ClientPeer) => C;
  readonly log: Logger;
  readonly limits: { readonly headBytesMax: number; readonly readAheadTotalBytesMax: number };
  readonly addsForwardedFor: boolean;
  isDraining = false;
  areTunnelsClosing = false;
  readAheadBytes = 0;
  exchangeCount = 0;
  readonly #connections = new Set<ServerConnection<C>>();
  readonly #waiters: (() => void)[] = [];
  #http2: Http2Front<C> | undefined;
  #dateSecond = -1;
  #dateText = "";

  constructor(deps: HttpServerDeps<C>, options: HttpServerOptions, wheel: TimerWheel) {
    this.clock = deps.clock;
    this.wheel = wheel;
    this.handler = deps.handler;
    this.context = deps.context;
    this.log = deps.log ?? silentLogger;
    this.limits = {
      headBytesMax: options.headBytesMax ?? REQUEST_HEAD_BYTES_MAX,
      readAheadTotalBytesMax: options.readAheadTotalBytesMax ?? READ_AHEAD_TOTAL_BYTES_MAX,
    };
    this.addsForwardedFor = options.addsForwardedFor ?? true;
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
    this.log.error("a layer threw", {
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

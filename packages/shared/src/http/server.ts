import { createServer, type Server, type Socket } from "node:net";
import type { SecureContext } from "node:tls";
import type { Clock } from "../clock/clock.ts";
import { TimerWheel } from "../clock/timer-wheel.ts";
import { assert } from "../invariant.ts";
import { type Logger, silentLogger } from "../log/logger.ts";
import type { Handler } from "./chain.ts";
import type { ClientPeer, RequestHead } from "./exchange.ts";
import { READ_AHEAD_TOTAL_BYTES_MAX, REQUEST_HEAD_BYTES_MAX, TCP_KEEP_ALIVE_MS } from "./limits.ts";
import { ServerConnections } from "./server-connections.ts";
import { type ServerCertificate, TlsListener, type TlsSettings } from "./tls/tls-listener.ts";

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
  readonly tlsSettings?: TlsSettings;
  /** What a client sees that asks for a server by this name; the one above where it gives none. */
  readonly contextOf?: (serverName: string) => SecureContext | undefined;
  /** Whether HTTP/2 is agreed on with clients of that server; always, unless told. An exchange keeps its version. */
  readonly speaksHttp2?: (serverName: string) => boolean;
  /** Whether the client is added to `X-Forwarded-For`. Default: yes. */
  readonly addsForwardedFor?: boolean;
}

export interface DrainOptions {
  /** By then the clients of WebSockets are told to leave. Without it they are not: a tunnel may take its time. */
  readonly tunnelsCloseAfterMs?: number;
}

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
    const log = deps.log ?? silentLogger;
    const core = new ServerConnections<C>({
      clock: deps.clock,
      wheel,
      handler: deps.handler,
      context: deps.context,
      log,
      limits: {
        headBytesMax: options.headBytesMax ?? REQUEST_HEAD_BYTES_MAX,
        readAheadTotalBytesMax: options.readAheadTotalBytesMax ?? READ_AHEAD_TOTAL_BYTES_MAX,
      },
      addsForwardedFor: options.addsForwardedFor ?? true,
    });
    const { certificate } = options;
    const server = createServer({ ...LISTENER, pauseOnConnect: certificate === undefined });
    const tls = certificate === undefined ? undefined : listenTls(core, server, certificate, options);
    if (tls === undefined) server.on("connection", (socket: Socket) => core.accept(socket, { isTls: false }));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      const { ip, port, backlog = BACKLOG } = options;
      server.listen({ ...(ip === ALL_INTERFACES ? {} : { host: ip }), port, backlog }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    server.on("error", (error) => log.error("listener failed", { error: error.message }));
    const bound = server.address();
    assert(bound !== null && typeof bound === "object", "a TCP listener has an address");
    return new HttpServer({ core, server, tls }, wheel, { ip: bound.address, port: bound.port });
  }

  /** New connections see this certificate; those there are keep the old one. Only for a TLS listener. */
  setCertificate(certificate: ServerCertificate): void {
    const { tls } = this.#shell;
    assert(tls !== undefined, "a listener without TLS has no certificate");
    tls.setCertificate(certificate);
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
    const { core, server, tls } = this.#shell;
    if (server.listening) server.close();
    const drained = core.drain();
    if (graceMs > 0 && core.exchangeCount > 0) {
      const grace = Promise.withResolvers<void>();
      using _timer = core.clock.after(graceMs, () => grace.resolve());
      await Promise.race([drained, grace.promise]);
    }
    await core.destroyAll();
    tls?.destroyAll();
    this.wheel.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

interface Shell {
  readonly server: Server;
  readonly tls: TlsListener | undefined;
  readonly core: Pick<
    ServerConnections<never>,
    "exchangeCount" | "connectionCount" | "readAheadBytes" | "drain" | "closeTunnels" | "destroyAll" | "clock"
  >;
}

/** How connections are taken. Half-open ones are ours to end. */
const LISTENER = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
} as const;

function listenTls<C>(
  core: ServerConnections<C>,
  server: Server,
  certificate: ServerCertificate,
  { contextOf, speaksHttp2, tlsSettings }: HttpServerOptions,
): TlsListener {
  const options = { certificate, settings: tlsSettings ?? {}, contextOf, speaksHttp2 };
  return new TlsListener({ server, wheel: core.wheel }, options, (socket) => {
    if (socket.alpnProtocol === "h2") core.acceptHttp2(socket);
    else core.accept(socket, { isTls: true });
  });
}

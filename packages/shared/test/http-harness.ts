import { connect, createServer, type Server, type Socket } from "node:net";
import type { Clock } from "../src/clock/clock.ts";
import { RealClock } from "../src/clock/real-clock.ts";
import type { Handler } from "../src/http/chain.ts";
import type { Exchange, ExchangeObserver, ExchangeOutcome } from "../src/http/exchange.ts";
import { HttpServer, type HttpServerOptions } from "../src/http/server.ts";
import { UpstreamPool, type UpstreamPoolOptions } from "../src/http/upstream-pool.ts";
import { SeededRandom } from "../src/random.ts";

/** One end of a TCP connection, in bytes. Waits on what arrives, never on time. */
export class RawPeer {
  readonly socket: Socket;
  received = "";
  hasEnded = false;
  error: string | undefined;
  isClosed = false;
  readonly #waiters = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes) => {
      this.received += bytes.toString("latin1");
      this.#wake();
    });
    socket.on("end", () => {
      this.hasEnded = true;
      this.#wake();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.error = error.code;
    });
    socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  static async connect(to: { readonly ip: string; readonly port: number }): Promise<RawPeer> {
    const socket = connect({ host: to.ip, port: to.port, allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
    return new RawPeer(socket);
  }

  write(text: string): void {
    this.socket.write(text, "latin1");
  }

  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  /** Everything received once it contains `text`, which is then taken out together with what is before it. */
  async take(text: string): Promise<string> {
    await this.until(() => this.received.includes(text));
    const to = this.received.indexOf(text) + text.length;
    const taken = this.received.slice(0, to);
    this.received = this.received.slice(to);
    return taken;
  }

  /** The other side sends no more: it has ended or cut the connection. */
  async ended(): Promise<void> {
    await this.until(() => this.hasEnded || this.isClosed);
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) {
      this.#waiters.delete(wake);
      wake();
    }
  }
}

/** A listener whose connections the test speaks for. */
export class RawOrigin implements AsyncDisposable {
  readonly ip = "127.0.0.1";
  readonly port: number;
  readonly peers: RawPeer[] = [];
  readonly #server: Server;
  readonly #waiters: (() => void)[] = [];

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on("connection", (socket) => {
      this.peers.push(new RawPeer(socket));
      for (const wake of this.#waiters.splice(0)) wake();
    });
  }

  static async start(onRequest?: (peer: RawPeer) => void): Promise<RawOrigin> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const origin = new RawOrigin(server, address.port);
    if (onRequest !== undefined) {
      server.on("connection", () => {
        const peer = origin.peers.at(-1);
        if (peer !== undefined) void answerAll(peer, onRequest);
      });
    }
    return origin;
  }

  /** The n-th connection, from 0. */
  async peer(index: number): Promise<RawPeer> {
    for (;;) {
      const peer = this.peers[index];
      if (peer !== undefined) return peer;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

async function answerAll(peer: RawPeer, onRequest: (peer: RawPeer) => void): Promise<void> {
  for (;;) {
    await peer.until(() => peer.received.includes("\r\n\r\n") || peer.isClosed);
    if (peer.isClosed) return;
    await peer.take("\r\n\r\n");
    onRequest(peer);
  }
}

export interface EndedExchange {
  readonly target: string;
  readonly status: number;
  readonly outcome: ExchangeOutcome;
}

/** A hop under test: our server in front of one upstream pool, with a record of how exchanges went. */
export class Hop implements AsyncDisposable {
  readonly server: HttpServer;
  readonly pool: UpstreamPool;
  readonly ended: EndedExchange[];
  readonly started: number[];
  readonly exchanges: Exchange<undefined>[];
  readonly #waiters: Set<() => void>;

  private constructor(
    server: HttpServer,
    pool: UpstreamPool,
    record: Pick<Hop, "ended" | "started" | "exchanges"> & { waiters: Set<() => void> },
  ) {
    this.server = server;
    this.pool = pool;
    this.ended = record.ended;
    this.started = record.started;
    this.exchanges = record.exchanges;
    this.#waiters = record.waiters;
  }

  static async start(
    origin: { readonly ip: string; readonly port: number },
    options: {
      readonly clock?: Clock;
      readonly handler?: (pool: UpstreamPool) => Handler<undefined>;
      readonly server?: Partial<HttpServerOptions>;
      readonly pool?: Partial<UpstreamPoolOptions>;
    } = {},
  ): Promise<Hop> {
    const clock = options.clock ?? new RealClock();
    const pool = new UpstreamPool(
      { clock, random: new SeededRandom(1) },
      { ip: origin.ip, port: origin.port, ...options.pool },
    );
    const inner: Handler<undefined> = options.handler?.(pool) ?? ((exchange) => exchange.forward(pool));
    const record = {
      ended: [] as EndedExchange[],
      started: [] as number[],
      exchanges: [] as Exchange<undefined>[],
      waiters: new Set<() => void>(),
    };
    const wakeAll = (): void => {
      for (const wake of [...record.waiters]) {
        record.waiters.delete(wake);
        wake();
      }
    };
    const observer: ExchangeObserver<undefined> = {
      responseStarted: (_exchange, status) => void record.started.push(status),
      ended: (exchange, outcome) => {
        record.ended.push({ target: exchange.request.target, status: exchange.status, outcome });
        wakeAll();
      },
    };
    const server = await HttpServer.start<undefined>(
      {
        clock,
        context: () => undefined,
        handler: (exchange) => {
          record.exchanges.push(exchange);
          exchange.observe(observer);
          inner(exchange);
          wakeAll();
        },
      },
      { ip: "127.0.0.1", port: 0, ...options.server },
    );
    return new Hop(server, pool, record);
  }

  connect(): Promise<RawPeer> {
    return RawPeer.connect(this.server.address);
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    this.pool.close();
  }
}

/** Until a figure no longer changes while other traffic goes through the same server several times. */
export async function settled(figure: () => number, hop: Hop): Promise<void> {
  const other = await hop.connect();
  for (let before = -1, same = 0; same < 20; ) {
    const now = figure();
    same = now === before ? same + 1 : 0;
    before = now;
    other.write("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    await other.take("\r\n\r\n");
  }
  other.end();
}

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import {
  type Clock,
  decodeStatMessages,
  headers,
  type Logger,
  probeAgents,
  type StatMessage,
  type StatSink,
} from "@rouse/shared";
import { WebSocketServer } from "ws";
import { BUCKET_PREFIX } from "../forward/buckets.ts";

/** S-37. */
const HEADERS_MS_MAX = 60_000;
const KEEP_ALIVE_MS = 180_000;
const CLOSE_MS_MAX = 5_000;
const SERVICE_RESTART = 1_012;
/** A report of 10,000 revisions has about 2 MB. */
const FRAME_BYTES_MAX = 16 * 1_024 * 1_024;

export interface StatServerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Takes what was received, stamped. */
  readonly sink: StatSink;
  /** Whether this process holds the bucket of that name. S-36. */
  readonly ownsBucket: (bucket: string) => boolean;
}

/**
 * Where activators and other autoscalers report: WebSocket on any path, each binary frame a batch. Frames that cannot
 * be read are dropped and their connection kept; nothing is ever answered. S-35..S-38, A-92.
 */
export class StatServer implements AsyncDisposable {
  readonly #deps: StatServerDeps;
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
  });
  #dropped = 0;
  #isClosed = false;

  /** Port 0 lets the system choose. @throws if the address is taken */
  static async start(
    deps: StatServerDeps,
    options: { readonly ip: string | undefined; readonly port: number },
  ): Promise<StatServer> {
    const server = new StatServer(deps);
    await new Promise<void>((resolve, reject) => {
      server.#http.once("error", reject);
      server.#http.listen(options.port, options.ip, resolve);
    });
    return server;
  }

  private constructor(deps: StatServerDeps) {
    this.#deps = deps;
    this.#http = createServer({
      headersTimeout: HEADERS_MS_MAX,
      requestTimeout: HEADERS_MS_MAX,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    this.#http.on("request", (request, response) => {
      const status = isKubeletProbe(request) || this.#isForeignBucket(request) ? 200 : 400;
      response.writeHead(status, { "Content-Length": 0, Connection: "close" }).end();
    });
    this.#http.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Port it listens on. */
  get port(): number {
    const address = this.#http.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  /** Who is connected now. */
  get connections(): number {
    return this.#sockets.clients.size;
  }

  /** Frames that could not be read since the start. */
  get droppedFrames(): number {
    return this.#dropped;
  }

  /** Asks every client to come back elsewhere, and cuts off those that have not gone after five seconds. S-37. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const gone = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    for (const socket of this.#sockets.clients) socket.close(SERVICE_RESTART, "Restarting");
    const deadline = this.#deps.clock.after(CLOSE_MS_MAX, () => {
      for (const socket of this.#sockets.clients) socket.terminate();
      this.#http.closeAllConnections();
    });
    this.#http.closeIdleConnections();
    await gone;
    deadline[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    if (isKubeletProbe(request) || this.#isForeignBucket(request)) refuse(socket, "200 OK");
    else if (this.#isClosed) refuse(socket, "503 Service Unavailable");
    else if (isForeignOrigin(request)) refuse(socket, "403 Forbidden");
    else {
      this.#sockets.handleUpgrade(request, socket, head, (client) => {
        client.on("error", () => client.terminate());
        client.on("message", (data, isBinary) => this.#receive(data, isBinary));
      });
    }
  }

  #receive(data: unknown, isBinary: boolean): void {
    const batch = isBinary && Buffer.isBuffer(data) ? decodeStatMessages(data) : undefined;
    if (batch === undefined) {
      this.#dropped++;
      this.#deps.log.warn("report dropped: not a batch of stats");
      return;
    }
    const unixSeconds = Math.floor(this.#deps.clock.wall() / 1_000);
    this.#deps.sink.send(batch.map((message) => stamped(message, unixSeconds)));
  }

  #isForeignBucket({ headers: { host } }: IncomingMessage): boolean {
    const bucket = host?.split(/[.:]/, 1)[0] ?? "";
    return bucket.startsWith(BUCKET_PREFIX) && !this.#deps.ownsBucket(bucket);
  }
}

/** The first autoscaler that gets a stat says when that was; the stamp survives forwarding. S-38. */
function stamped(message: StatMessage, unixSeconds: number): StatMessage {
  if (message.stat.timestamp !== 0) return message;
  return { ...message, stat: { ...message.stat, timestamp: unixSeconds } };
}

function isKubeletProbe(request: IncomingMessage): boolean {
  return (
    request.headers["user-agent"]?.startsWith(probeAgents.kubelet) === true ||
    request.headers[headers.kubeletProbe.toLowerCase()] !== undefined
  );
}

/** A page of another site must not report. A-93. */
function isForeignOrigin({ headers: { origin, host } }: IncomingMessage): boolean {
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

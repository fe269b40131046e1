import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from "node:http";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import { assert } from "../invariant.ts";
import type { LocalResponse } from "./exchange.ts";

export interface PlainServerOptions {
  /** `undefined` = all interfaces, dual stack where there is one. */
  readonly ip: string | undefined;
  /** 0 lets the system choose. */
  readonly port: number;
  /** How long a head may take. Q-137, Q §13 */
  readonly headersTimeoutMs?: number;
  readonly tls?: SecureContextOptions & TlsOptions;
}

const TEXT = { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" } as const;
/** What Go's servers say of a path they do not have. Q-5 */
export const pathNotFound: LocalResponse = { status: 404, headers: TEXT, body: "404 page not found\n" };
/** What they say of a method that is not for reading. Q-137 */
export const onlyForReading: LocalResponse = {
  status: 405,
  headers: { ...TEXT, Allow: "GET, HEAD" },
  body: "Method Not Allowed\n",
};

/** Answers one request; `path` is what it asks for, without its query. */
export type PlainHandler = (path: string, request: IncomingMessage) => LocalResponse | Promise<LocalResponse>;

const HEADERS_TIMEOUT_MS = 5_000;
/** How often heads that take too long are looked for. */
const CHECK_MS = 5_000;
/** Longer than anybody waits from one scrape to the next, who else would ask on a connection about to be closed. */
const IDLE_MS = 300_000;

/**
 * A listener off the request path, for metrics, questions about the process and profiles: few requests of few callers, so
 * Node's own server is good enough (design §3), and loaded with the first of them.
 */
export class PlainServer implements AsyncDisposable {
  readonly address: { readonly ip: string; readonly port: number };
  readonly #server: Server;

  private constructor(server: Server, address: { readonly ip: string; readonly port: number }) {
    this.#server = server;
    this.address = address;
  }

  /** Rejects when the address is taken. */
  static async start(options: PlainServerOptions, handle: PlainHandler): Promise<PlainServer> {
    const { ip, port, tls } = options;
    const settings: ServerOptions = {
      headersTimeout: options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
      requestTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: CHECK_MS,
    };
    const serve: RequestListener = (request, response) => {
      const answer = handle(pathOf(request), request);
      if (answer instanceof Promise) void answer.then((late) => send(response, late));
      else send(response, answer);
    };
    const server = tls === undefined ? plainly(settings, serve) : secure({ ...settings, ...tls }, serve);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, ...(ip === undefined ? {} : { host: ip }) }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    const bound = server.address();
    assert(bound !== null && typeof bound === "object", "a TCP listener has an address");
    return new PlainServer(server, { ip: bound.address, port: bound.port });
  }

  /** Stops accepting, closes idle connections, and resolves when the last request is over. May be called twice. */
  async drain(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    await closed;
  }

  /** Cuts what is left. */
  async close(): Promise<void> {
    const drained = this.drain();
    this.#server.closeAllConnections();
    await drained;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Text for people, as Go's servers write it. Q-5 */
export function plainText(status: number, text: string): LocalResponse {
  return { status, headers: TEXT, body: text };
}

function send(response: ServerResponse, { status, headers = {}, body = "" }: LocalResponse): void {
  response.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").split("?", 1)[0] ?? "";
}

function plainly(options: ServerOptions, serve: RequestListener): Server {
  const http = process.getBuiltinModule("node:http");
  assert(http !== undefined, "node:http is part of Node");
  return http.createServer(options, serve);
}

/** Loaded where it is asked for alone: TLS costs 2 MB. */
function secure(options: ServerOptions & TlsOptions, serve: RequestListener): Server {
  const https = process.getBuiltinModule("node:https");
  assert(https !== undefined, "node:https is part of Node");
  return https.createServer(options, serve);
}

import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from "node:http";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import { assert } from "@rouse/shared";

export interface PlainServerOptions {
  /** `undefined` = all interfaces, dual stack where there is one. */
  readonly ip: string | undefined;
  readonly port: number;
  /** How long a head may take. Q §13 */
  readonly headersTimeoutMs: number;
  readonly tls?: SecureContextOptions & TlsOptions;
}

/** How often heads that take too long are looked for. */
const CHECK_MS = 5_000;

/**
 * A side listener that is off unless asked for: few requests of few callers, so Node's own server is good enough (design
 * §3), and loaded with the first of them.
 */
export class PlainServer {
  readonly address: { readonly ip: string; readonly port: number };
  readonly #server: Server;

  private constructor(server: Server, address: { readonly ip: string; readonly port: number }) {
    this.#server = server;
    this.address = address;
  }

  /** Rejects when the address is taken. */
  static async start(options: PlainServerOptions, serve: RequestListener): Promise<PlainServer> {
    const { ip, port, tls } = options;
    const settings: ServerOptions = {
      headersTimeout: options.headersTimeoutMs,
      requestTimeout: 0,
      keepAliveTimeout: 0,
      connectionsCheckingInterval: CHECK_MS,
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

/** What Go's servers say of a path they do not have. Q-5 */
export function notFound(response: ServerResponse): void {
  plain(response, 404, "404 page not found\n");
}

export function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "Content-Type": "text/plain; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    "Content-Length": Buffer.byteLength(text),
  });
  response.end(text);
}

/** The path a request asks for, without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").split("?", 1)[0] ?? "";
}

import { timingSafeEqual } from "node:crypto";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { gzip } from "node:zlib";
import { KubeError, type Logger } from "@rouse/shared";
import { type Answer, type AnswerStream, failure } from "./answer.ts";
import type { ApiHandler } from "./api-handler.ts";

/** P-36. */
const BODY_BYTES_MAX = 3 * 1024 * 1024;
/** P-37. */
const GZIP_BYTES_MIN = 128 * 1024;
/** Clients keep connections for their next call; longer than client-go does. */
const KEEP_ALIVE_MS = 120_000;
/** Open to all: what a client asks before it knows who it is. P-19 */
const PUBLIC: ReadonlySet<string> = new Set(["/version", "/healthz", "/livez", "/readyz"]);
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

/** Where requests come from, and what they have to bring. */
export type ListenerOptions =
  /** A Unix domain socket: whoever may open it may do everything. */
  | { readonly kind: "socket"; readonly socketPath: string }
  | {
      readonly kind: "loopback";
      readonly ip: string;
      /** 0: the system chooses. */
      readonly port: number;
      /** In PEM. */
      readonly tls: { readonly key: string; readonly cert: string };
      /** Every request has to carry it. */
      readonly token: string;
    };

export interface ApiListenerDeps {
  readonly handler: Pick<ApiHandler, "handle">;
  readonly log: Logger;
}

/** Serves an `ApiHandler` to those outside the process. */
export class ApiListener implements AsyncDisposable {
  readonly #deps: ApiListenerDeps;
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #streams = new Set<Disposable>();

  private constructor(deps: ApiListenerDeps, options: ListenerOptions) {
    this.#deps = deps;
    this.#options = options;
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#serve(request, response);
    };
    this.#server =
      options.kind === "loopback"
        ? createHttpsServer({ ...options.tls }, onRequest)
        : createHttpServer(onRequest);
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
  }

  /** @throws the system's error when the place is taken or cannot be used */
  static async start(deps: ApiListenerDeps, options: ListenerOptions): Promise<ApiListener> {
    const listener = new ApiListener(deps, options);
    await listener.#listen();
    return listener;
  }

  /** Port of a loopback listener; 0 for a socket. */
  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Ends watches as their own end, then everything else. P-8 */
  async close(): Promise<void> {
    for (const stream of [...this.#streams]) stream[Symbol.dispose]();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      if (this.#options.kind === "loopback") {
        this.#server.listen({ host: this.#options.ip, port: this.#options.port }, resolve);
        return;
      }
      // The socket is made within this call, so nobody sees it with wider rights in between.
      const before = process.umask(0o177);
      this.#server.listen(this.#options.socketPath, resolve);
      process.umask(before);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer =
      this.#refusal(request) ??
      (await this.#deps.handler.handle({
        method: request.method ?? "GET",
        url: request.url ?? "/",
        header: (name) => headerOf(request, name),
        body: () => readBody(request),
      }));
    try {
      if (answer.kind === "whole") await sendWhole(answer, request, response);
      else this.#sendStream(answer, response);
    } catch (error) {
      this.#deps.log.warn("an answer could not be sent", { path: request.url, error: String(error) });
      response.destroy();
    }
  }

  /** Who may not ask at all. P-7, P-21 */
  #refusal(request: IncomingMessage): Answer | undefined {
    if (this.#options.kind === "socket") return undefined;
    const { host, origin } = request.headers;
    // Pages in a browser reach loopback under names of their own choosing.
    if (origin !== undefined || !LOOPBACK_HOST.test(host ?? "")) {
      return failure(
        new KubeError("Forbidden", "forbidden: this API answers to loopback names and to no web page"),
      );
    }
    const path = (request.url ?? "").split("?")[0] ?? "";
    if (PUBLIC.has(path) && headerOf(request, "authorization") === undefined) return undefined;
    if (isToken(headerOf(request, "authorization"), this.#options.token)) return undefined;
    return failure(new KubeError("Unauthorized", "Unauthorized"));
  }

  #sendStream(answer: Extract<Answer, { kind: "stream" }>, response: ServerResponse): void {
    if (response.destroyed) return;
    response.writeHead(answer.status, toNode(answer.headers));
    response.flushHeaders(); // before any event: clients wait for the head (P-110)
    const stream: AnswerStream = {
      write: (text) => {
        if (!response.destroyed && !response.writableEnded) response.write(text);
      },
      get pendingBytes() {
        return response.writableLength;
      },
      end: () => {
        if (!response.writableEnded) response.end();
      },
    };
    const running = answer.start(stream);
    this.#streams.add(running);
    const over = (): void => {
      this.#streams.delete(running);
      running[Symbol.dispose]();
    };
    response.once("close", over);
    if (response.destroyed) over();
  }
}

async function sendWhole(
  answer: Extract<Answer, { kind: "whole" }>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const headers = toNode(answer.headers);
  let body: Buffer = Buffer.from(answer.body);
  if (body.length > GZIP_BYTES_MIN) {
    headers.Vary = "Accept-Encoding";
    if (/\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""))) {
      body = await compressed(body);
      headers["Content-Encoding"] = "gzip";
    }
  }
  if (answer.status !== 304 && answer.status !== 204) headers["Content-Length"] = String(body.length);
  // A body we refused to read on is still on its way: this connection can carry no other request.
  if (!request.complete && answer.status >= 400) headers.Connection = "close";
  response.writeHead(answer.status, headers);
  response.end(body);
}

function compressed(body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gzip(body, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}

function toNode(headers: Answer["headers"]): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]),
  );
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

function isToken(authorization: string | undefined, token: string): boolean {
  const sent = Buffer.from(authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return sent.length === wanted.length && timingSafeEqual(sent, wanted);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = (): KubeError =>
    new KubeError("RequestEntityTooLarge", `Request entity too large: limit is ${BODY_BYTES_MAX}`);
  if (Number(request.headers["content-length"] ?? 0) > BODY_BYTES_MAX) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part: Buffer = chunk;
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) throw tooLarge();
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

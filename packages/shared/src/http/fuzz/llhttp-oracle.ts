import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import type { ReadRequest } from "./reading.ts";

/** Node's own server, strict, on connections that exist in memory: what llhttp makes of the same bytes. */
export class LlhttpOracle implements Disposable {
  readonly #server: Server;
  #found: (ReadRequest | undefined)[] = [];

  constructor() {
    this.#server = createServer(
      { insecureHTTPParser: false, maxHeaderSize: 1_048_576 },
      (request, response) => this.#take(request, response),
    );
    this.#server.maxHeadersCount = 0;
    // Without it the end of the bytes would drop requests that were read whole and not answered yet.
    Reflect.set(this.#server, "httpAllowHalfOpen", true);
    this.#server.on("checkContinue", (request, response) => this.#take(request, response));
    this.#server.on("checkExpectation", (request, response) => this.#take(request, response));
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  /** The whole requests llhttp finds in the bytes of one connection. One call at a time. */
  async read(bytes: Buffer): Promise<readonly (ReadRequest | undefined)[]> {
    this.#found = [];
    const connection = new MemoryConnection();
    const closed = new Promise<void>((resolve) => connection.once("close", () => resolve()));
    connection.on("error", () => {});
    this.#server.emit("connection", connection);
    connection.push(bytes);
    connection.push(null);
    await closed;
    return this.#found;
  }

  [Symbol.dispose](): void {
    this.#server.close();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    let body = "";
    const found = this.#found;
    const at = found.length;
    // Requests are told in order, their bodies as they come: a place is kept for each.
    found.push(undefined);
    request.setEncoding("latin1");
    request.on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      found[at] = {
        method: request.method ?? "",
        target: request.url ?? "",
        version: request.httpVersion,
        fields: request.rawHeaders,
        body,
        trailers: request.rawTrailers,
      };
      response.end();
    });
    request.on("error", () => {});
  }
}

class MemoryConnection extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
  override _final(done: () => void): void {
    done();
    this.destroy();
  }
}

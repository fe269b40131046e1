import { createServer, type Server } from "node:http";
import { EXPOSITION_CONTENT_TYPE, exposition, type Family } from "@rouse/shared";

/** Answers `GET /metrics`, and everything else with 404. */
export class MetricsServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param options.ip all interfaces unless told. @throws if the address is taken */
  static async start(
    families: () => readonly Family[],
    options: { readonly ip: string | undefined; readonly port: number },
  ): Promise<MetricsServer> {
    const server = createServer((request, response) => {
      const isMetrics = request.method === "GET" && request.url?.split("?", 1)[0] === "/metrics";
      response.writeHead(isMetrics ? 200 : 404, { "Content-Type": EXPOSITION_CONTENT_TYPE });
      response.end(isMetrics ? exposition(families()) : "");
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port, options.ip, () => resolve());
    });
    return new MetricsServer(server);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

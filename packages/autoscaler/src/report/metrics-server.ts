import { createServer, type Server } from "node:http";

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** `/metrics` for Prometheus, and 200 for whoever asks whether the process lives. S-143. */
export class MetricsServer implements AsyncDisposable {
  readonly #server: Server;

  /** Port 0 lets the system choose. @throws if the address is taken */
  static async start(
    metrics: () => string,
    options: { readonly ip: string | undefined; readonly port: number },
  ): Promise<MetricsServer> {
    const server = new MetricsServer(metrics);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen(options.port, options.ip, resolve);
    });
    return server;
  }

  private constructor(metrics: () => string) {
    this.#server = createServer((request, response) => {
      const isMetrics = request.url?.split("?", 1)[0] === "/metrics";
      const body = isMetrics ? metrics() : "";
      response.writeHead(200, isMetrics ? { "Content-Type": CONTENT_TYPE } : {}).end(body);
    });
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

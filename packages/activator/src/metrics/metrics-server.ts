import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import {
  EXPOSITION_CONTENT_TYPE,
  exposition,
  type Family,
  type PrometheusTls,
  prometheusTlsOptions,
} from "@rouse/shared";

/** Answers `GET /metrics`, and everything else with 404. */
export class MetricsServer implements AsyncDisposable {
  readonly #server: Server | TlsServer;

  private constructor(server: Server | TlsServer) {
    this.#server = server;
  }

  /** @param options.ip all interfaces unless told. @throws if the address is taken */
  static async start(
    families: () => readonly Family[],
    options: {
      readonly ip: string | undefined;
      readonly port: number;
      readonly tls?: PrometheusTls | undefined;
    },
  ): Promise<MetricsServer> {
    const answer: RequestListener = (request, response) => {
      const isMetrics = request.method === "GET" && request.url?.split("?", 1)[0] === "/metrics";
      response.writeHead(isMetrics ? 200 : 404, { "Content-Type": EXPOSITION_CONTENT_TYPE });
      response.end(isMetrics ? exposition(families()) : "");
    };
    const server =
      options.tls === undefined
        ? createServer(answer)
        : createTlsServer(prometheusTlsOptions(options.tls), answer);
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

import { createServer, type Server } from "node:http";

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface AdminAnswers {
  /** Whether the process does what it is there for. */
  readonly isReady: () => boolean;
  /** Prometheus text. */
  readonly metrics: () => string;
}

/** `/healthz`: the process lives; `/readyz`: it works; `/metrics`. Anything else: 404. */
export class AdminServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(answers: AdminAnswers) {
    this.#server = createServer((request, response) => {
      const path = request.url?.split("?", 1)[0];
      if (path === "/metrics")
        response.writeHead(200, { "Content-Type": CONTENT_TYPE }).end(answers.metrics());
      else if (path === "/healthz") response.writeHead(200).end("ok");
      else if (path === "/readyz") response.writeHead(answers.isReady() ? 200 : 503).end();
      else response.writeHead(404).end();
    });
  }

  /** Port 0 lets the system choose. @throws if the address is taken */
  static async start(
    answers: AdminAnswers,
    options: { readonly ip: string | undefined; readonly port: number },
  ): Promise<AdminServer> {
    const admin = new AdminServer(answers);
    await new Promise<void>((resolve, reject) => {
      admin.#server.once("error", reject);
      admin.#server.listen(options.port, options.ip, resolve);
    });
    return admin;
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

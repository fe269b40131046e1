import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Authority, Clock, Logger } from "@rouse/shared";
import { type AdmissionRequest, answerReview, parseReview, type Verdict } from "./admission-review.ts";

/** A review holds an object and the one it replaces, of 3 MiB each at most. */
const BODY_BYTES_MAX = 8 * 1_024 * 1_024;
const REQUEST_MS_MAX = 10_000;
/** Longer than the API keeps an idle connection to us. */
const KEEP_ALIVE_MS = 120_000;

export interface WebhookServerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What to say of the object, by path. */
  readonly verdicts: Readonly<Record<string, (request: AdmissionRequest) => Verdict | Promise<Verdict>>>;
}

/** Answers AdmissionReviews over TLS. Who asks is not checked, as what is answered depends on the object alone. */
export class WebhookServer implements AsyncDisposable {
  readonly #deps: WebhookServerDeps;
  readonly #server: Server;
  #reviews = 0;
  #refused = 0;

  private constructor(deps: WebhookServerDeps, certificate: Authority) {
    this.#deps = deps;
    this.#server = createServer(
      {
        ...certificate,
        minVersion: "TLSv1.2",
        keepAliveTimeout: KEEP_ALIVE_MS,
        requestTimeout: REQUEST_MS_MAX,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.on("tlsClientError", () => {}); // a port scan, or an API that does not trust us yet
  }

  /** Port 0 lets the system choose. @throws if the address is taken */
  static async start(
    deps: WebhookServerDeps,
    options: { readonly ip: string | undefined; readonly port: number; readonly certificate: Authority },
  ): Promise<WebhookServer> {
    const webhook = new WebhookServer(deps, options.certificate);
    await new Promise<void>((resolve, reject) => {
      webhook.#server.once("error", reject);
      webhook.#server.listen(options.port, options.ip, resolve);
    });
    return webhook;
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  /** Reviews answered since the start, and those of them that refused. */
  get counts(): { readonly reviews: number; readonly refused: number } {
    return { reviews: this.#reviews, refused: this.#refused };
  }

  /** From now on new connections see this one. */
  setCertificate(certificate: Authority): void {
    this.#server.setSecureContext({ ...certificate, minVersion: "TLSv1.2" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const deadline = this.#deps.clock.after(REQUEST_MS_MAX, () => this.#server.closeAllConnections());
    await closed;
    deadline[Symbol.dispose]();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const verdictOf = this.#deps.verdicts[(request.url ?? "").split("?", 1)[0] ?? ""];
    if (request.method !== "POST" || verdictOf === undefined) {
      response.writeHead(404).end();
      request.resume();
      return;
    }
    try {
      const body = await readBody(request);
      const review = body === undefined ? undefined : parseReview(body);
      if (review === undefined) {
        response.writeHead(400).end("an AdmissionReview of admission.k8s.io/v1 is expected");
        return;
      }
      const verdict = await verdictOf(review);
      this.#reviews++;
      if (verdict.kind === "refuse") this.#refused++;
      response.writeHead(200, { "Content-Type": "application/json" }).end(answerReview(review.uid, verdict));
    } catch (error) {
      this.#deps.log.warn("review not answered", { path: request.url, error: String(error) });
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  }
}

/** `undefined` if it is too long or no JSON. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    const chunk: Buffer = part;
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    parts.push(chunk);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString("utf8"));
    return value;
  } catch {
    return undefined;
  }
}

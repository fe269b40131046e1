import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import {
  apiVersion,
  type KubeClient,
  KubeError,
  type KubeObject,
  type ListQuery,
  type Logger,
  type Patch,
} from "@rouse/shared";
import { parseObject, parsePatch } from "./request-body.ts";
import { parseResourcePath, type ResourcePath } from "./resource-path.ts";

/** P-36. */
const BODY_BYTES_MAX = 3 * 1024 * 1024;

/** What a page shows, from the query of its address. */
export type Page = (query: URLSearchParams) => unknown;

export interface HttpFaceDeps {
  readonly client: KubeClient;
  readonly log: Logger;
  /** Read-only pages of our own, by path: what each returns is sent as JSON. */
  readonly pages?: Readonly<Record<string, Page>>;
}

export interface HttpFaceOptions {
  /** A Unix domain socket only its owner may open. Whoever can open it may do everything. */
  readonly socketPath: string;
}

/** Another process answers on the socket already. */
export class SocketInUseError extends Error {
  override readonly name = "SocketInUseError";
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * The API over HTTP with Kubernetes' paths, verbs, bodies and Status errors, as far as the command line needs it: get,
 * list, create, replace, merge and JSON patch, delete. In front of any `KubeClient`.
 */
export class HttpFace implements AsyncDisposable {
  readonly #deps: HttpFaceDeps;
  readonly #server: Server;

  private constructor(deps: HttpFaceDeps) {
    this.#deps = deps;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** @throws SocketInUseError; a system error if the socket cannot be made, such as a path too long for one */
  static async start(deps: HttpFaceDeps, options: HttpFaceOptions): Promise<HttpFace> {
    const face = new HttpFace(deps);
    await assertSocketFree(options.socketPath);
    rmSync(options.socketPath, { force: true }); // left behind by one that was killed
    await face.#listen(options.socketPath);
    return face;
  }

  /** Ends open connections; requests under way are cut. */
  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #listen(socketPath: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      // The socket is made within this call, so nobody sees it with wider rights in between.
      const before = process.umask(0o177);
      this.#server.listen(socketPath, resolve);
      process.umask(before);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.#answer(request);
    } catch (error) {
      if (!(error instanceof KubeError)) {
        this.#deps.log.error("api request failed", { path: request.url, error: String(error) });
      }
      answer = failure(error);
    }
    const text = `${JSON.stringify(answer.body)}\n`;
    response.writeHead(answer.status, {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(text),
      "Cache-Control": "no-cache, private",
      // A body we refused to read on is still on its way: this connection can carry no other request.
      ...(answer.status === 413 ? { Connection: "close" } : {}),
    });
    response.end(text);
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const page = this.#deps.pages?.[pathname];
    if (page !== undefined && request.method === "GET") return ok(await page(searchParams));
    const path = parseResourcePath(pathname);
    if (path === undefined) {
      throw new KubeError("NotFound", "the server could not find the requested resource", {});
    }
    return path.kind === "collection"
      ? this.#onCollection(path, request, searchParams)
      : this.#onObject(path, request);
  }

  async #onCollection(
    { resource, namespace }: ResourcePath & { kind: "collection" },
    request: IncomingMessage,
    search: URLSearchParams,
  ): Promise<Answer> {
    switch (request.method) {
      case "GET": {
        const labelSelector = search.get("labelSelector");
        const fieldSelector = search.get("fieldSelector");
        const query: ListQuery = {
          ...(namespace === undefined ? {} : { namespace }),
          ...(labelSelector === null ? {} : { labelSelector }),
          ...(fieldSelector === null ? {} : { fieldSelector }),
        };
        const { items, resourceVersion } = await this.#deps.client.list(resource, query);
        return ok({
          kind: `${resource.kind}List`,
          apiVersion: apiVersion(resource),
          metadata: { resourceVersion },
          items,
        });
      }
      case "POST": {
        const object = parseObject(resource, await readBody(request), { namespace: namespace ?? "" });
        return { status: 201, body: await this.#deps.client.create(resource, object) };
      }
      default:
        throw methodNotAllowed();
    }
  }

  async #onObject(path: ResourcePath & { kind: "object" }, request: IncomingMessage): Promise<Answer> {
    const { resource, namespace, name, subresource } = path;
    const { client } = this.#deps;
    switch (request.method) {
      case "GET":
        return ok(await client.get(resource, { namespace, name }));
      case "PUT": {
        const object: KubeObject = parseObject(resource, await readBody(request), { namespace, name });
        if (subresource === "scale") throw methodNotAllowed();
        return ok(
          await (subresource === "status"
            ? client.updateStatus(resource, object)
            : client.update(resource, object)),
        );
      }
      case "PATCH": {
        const patch: Patch = parsePatch(request.headers["content-type"], await readBody(request));
        return ok(await client.patch(resource, { namespace, name }, patch, subresource));
      }
      case "DELETE": {
        if (subresource !== undefined) throw methodNotAllowed();
        await client.delete(resource, { namespace, name });
        return ok({
          kind: "Status",
          apiVersion: "v1",
          metadata: {},
          status: "Success",
          details: { name, kind: resource.plural },
        });
      }
      default:
        throw methodNotAllowed();
    }
  }
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** P-30. */
function failure(error: unknown): Answer {
  const known = error instanceof KubeError ? error : new KubeError("InternalError", String(error));
  const { code, reason, message, details } = known;
  return {
    status: code,
    body: {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      reason,
      ...(details === undefined ? {} : { details }),
      code,
    },
  };
}

function methodNotAllowed(): KubeError {
  return new KubeError(
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
    {},
  );
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part: Buffer = chunk;
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) {
      throw new KubeError("RequestEntityTooLarge", `Request entity too large: limit is ${BODY_BYTES_MAX}`);
    }
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** @throws SocketInUseError if somebody answers there */
export async function assertSocketFree(socketPath: string): Promise<void> {
  const isAnswered = await new Promise<boolean>((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
  if (isAnswered) throw new SocketInUseError(`another process answers on ${socketPath}`);
}

import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Clock } from "../../clock/clock.ts";
import type { Random } from "../../random.ts";
import {
  type DeleteOptions,
  type KubeClient,
  KubeError,
  type ListQuery,
  type ObjectList,
  type Patch,
  type Subresource,
  type WatchSink,
} from "../client.ts";
import type { Kind, KubeObject, ObjectRef, Stored } from "../object.ts";
import { memberOf, textOf } from "../store/stored-object.ts";
import { collectionPath, objectPath, queryText } from "./api-path.ts";
import type { ApiServerAddress } from "./api-server.ts";
import { HttpWatch } from "./http-watch.ts";
import { receivedObject } from "./received-object.ts";
import { statusError } from "./status-error.ts";
import { streamList } from "./streaming-list.ts";

/** One call, its answer included. */
const CALL_MS_MAX = 30_000;
/** Calls at one time; more wait for a connection. Watches have their own. */
const CONNECTIONS_MAX = 32;
/** Objects of one page of a list. */
const PAGE = 500;
const BODY_BYTES_MAX = 256 * 1_024 * 1_024;

export interface HttpKubeClientDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly server: ApiServerAddress;
  /** Sent as `User-Agent`. */
  readonly userAgent?: string;
}

interface Call {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

/** The Kubernetes API over HTTP: JSON on kept connections, a watch on a connection of its own. */
export class HttpKubeClient implements KubeClient, Disposable {
  readonly #deps: HttpKubeClientDeps;
  readonly #calls: HttpAgent;
  readonly #watches: HttpAgent;
  /** Until a server has said that it knows no streams. */
  #streamsLists = true;

  constructor(deps: HttpKubeClientDeps) {
    this.#deps = deps;
    const { protocol, tls = {} } = deps.server;
    const { isUnverified = false, ...rest } = tls;
    const agent = (maxSockets: number): HttpAgent => {
      const options = { keepAlive: true, keepAliveMsecs: 30_000, maxSockets };
      return protocol === "https:"
        ? new HttpsAgent({ ...options, ...rest, rejectUnauthorized: !isUnverified })
        : new HttpAgent(options);
    };
    this.#calls = agent(CONNECTIONS_MAX);
    this.#watches = agent(Number.POSITIVE_INFINITY);
  }

  async get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<Stored<T>> {
    return receivedObject(kind, await this.#call({ method: "GET", path: objectPath(kind, ref) }));
  }

  async list<T extends KubeObject>(kind: Kind<T>, query: ListQuery = {}): Promise<ObjectList<T>> {
    if (this.#streamsLists) {
      const streamed = await this.#streamed(kind, query);
      if (streamed !== undefined) return streamed;
      this.#streamsLists = false;
    }
    return await this.#paged(kind, query);
  }

  async #streamed<T extends KubeObject>(
    kind: Kind<T>,
    { namespace, ...selection }: ListQuery,
  ): Promise<ObjectList<T> | undefined> {
    const path = collectionPath(kind, namespace);
    const open = (further: Readonly<Record<string, string>>): ClientRequest =>
      this.#request({ method: "GET", path: path + queryText(selection, further) }, this.#watches);
    const list = await streamList({ ...this.#deps, open });
    if (list === undefined) return undefined;
    return {
      items: list.items.map((item) => receivedObject(kind, item)),
      resourceVersion: list.resourceVersion,
    };
  }

  async #paged<T extends KubeObject>(kind: Kind<T>, query: ListQuery): Promise<ObjectList<T>> {
    const items: Stored<T>[] = [];
    let next: string | undefined;
    for (;;) {
      const page = queryText(query, { limit: String(PAGE), continue: next });
      const list = await this.#call({ method: "GET", path: collectionPath(kind, query.namespace) + page });
      const found = memberOf(list, "items");
      if (!Array.isArray(found)) throw new KubeError("InternalError", "the answer is no list");
      for (const item of found) items.push(receivedObject(kind, item));
      const metadata = memberOf(list, "metadata");
      next = textOf(metadata, "continue");
      if (next === undefined) return { items, resourceVersion: textOf(metadata, "resourceVersion") ?? "" };
    }
  }

  watch<T extends KubeObject>(
    kind: Kind<T>,
    query: ListQuery & { readonly resourceVersion: string },
    sink: WatchSink<T>,
  ): Disposable {
    const { resourceVersion, ...selection } = query;
    const path = collectionPath(kind, query.namespace);
    const open = (further: Readonly<Record<string, string>>): ClientRequest =>
      this.#request({ method: "GET", path: path + queryText(selection, further) }, this.#watches);
    return new HttpWatch({ ...this.#deps, open }, resourceVersion, {
      event: ({ type, object }) => {
        switch (type) {
          case "ADDED":
          case "MODIFIED":
          case "DELETED":
            sink.event({ type, object: receivedObject(kind, object) });
            break;
          case "BOOKMARK":
            sink.event({
              type,
              resourceVersion: textOf(memberOf(object, "metadata"), "resourceVersion") ?? "",
            });
            break;
        }
      },
      closed: (reason) => sink.closed(reason),
    });
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>> {
    const path = collectionPath(kind, object.metadata.namespace);
    return receivedObject(kind, await this.#call({ method: "POST", path, body: object }));
  }

  async update<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>> {
    return receivedObject(
      kind,
      await this.#call({ method: "PUT", path: pathOf(kind, object), body: object }),
    );
  }

  async updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>> {
    return receivedObject(
      kind,
      await this.#call({ method: "PUT", path: pathOf(kind, object, "status"), body: object }),
    );
  }

  async patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    patch: Patch,
    subresource?: Subresource,
  ): Promise<Stored<T>> {
    const path = objectPath(kind, ref, subresource);
    const body = patch.kind === "json" ? patch.operations : patch.body;
    const contentType =
      patch.kind === "json" ? "application/json-patch+json" : "application/merge-patch+json";
    return receivedObject(kind, await this.#call({ method: "PATCH", path, body, contentType }));
  }

  async delete<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    options: DeleteOptions = {},
  ): Promise<void> {
    const { propagation, gracePeriodSeconds, uid, resourceVersion } = options;
    const body = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      propagationPolicy: propagation,
      gracePeriodSeconds,
      ...(uid === undefined && resourceVersion === undefined
        ? {}
        : { preconditions: { uid, resourceVersion } }),
    };
    await this.#call({ method: "DELETE", path: objectPath(kind, ref), body });
  }

  /** Cuts every connection; what is under way fails. */
  [Symbol.dispose](): void {
    this.#calls.destroy();
    this.#watches.destroy();
  }

  #request(call: Call, agent: HttpAgent): ClientRequest {
    const { server, userAgent = "rouse" } = this.#deps;
    const authorization = server.authorization();
    const options = {
      agent,
      method: call.method,
      host: server.host,
      port: server.port,
      path: server.basePath + call.path,
      headers: {
        Accept: "application/json",
        "User-Agent": userAgent,
        ...(authorization === undefined ? {} : { Authorization: authorization }),
        ...(call.body === undefined ? {} : { "Content-Type": call.contentType ?? "application/json" }),
      },
    };
    return server.protocol === "https:" ? httpsRequest(options) : httpRequest(options);
  }

  /** The answer's body. @throws KubeError */
  #call(call: Call): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const payload = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
      const request = this.#request(call, this.#calls);
      // Of a DELETE Node would send the body without saying that there is one.
      if (payload !== undefined) request.setHeader("Content-Length", payload.length);
      const fail = (error: KubeError): void => {
        deadline[Symbol.dispose]();
        request.destroy();
        reject(error);
      };
      const deadline = this.#deps.clock.after(CALL_MS_MAX, () =>
        fail(new KubeError("Timeout", `the API did not answer within ${CALL_MS_MAX / 1_000} s`)),
      );
      request.on("error", (error) => fail(new KubeError("ServiceUnavailable", error.message)));
      request.on("response", (response) => {
        const parts: Buffer[] = [];
        let bytes = 0;
        response.on("data", (part: Buffer) => {
          bytes += part.length;
          if (bytes > BODY_BYTES_MAX) fail(new KubeError("RequestEntityTooLarge", "the answer is too long"));
          else parts.push(part);
        });
        response.on("error", (error) => fail(new KubeError("ServiceUnavailable", error.message)));
        response.on("end", () => {
          deadline[Symbol.dispose]();
          const code = response.statusCode ?? 500;
          const body = parsed(Buffer.concat(parts).toString("utf8"));
          if (code >= 200 && code <= 299 && body !== undefined) resolve(body);
          else if (code >= 200 && code <= 299)
            reject(new KubeError("InternalError", "the answer is no JSON"));
          else reject(statusError(code, body));
        });
      });
      request.end(payload);
    });
  }
}

function pathOf(kind: Kind<KubeObject>, { metadata }: KubeObject, subresource?: Subresource): string {
  return objectPath(kind, { namespace: metadata.namespace ?? "", name: metadata.name }, subresource);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

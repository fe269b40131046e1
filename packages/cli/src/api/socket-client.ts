import { request } from "node:http";
import {
  apiVersion,
  type Kind,
  type KubeClient,
  KubeError,
  type KubeErrorReason,
  type KubeObject,
  type ListQuery,
  type ObjectList,
  type ObjectRef,
  type Patch,
  type Stored,
} from "@rouse/shared";
import { Failure, systemCode } from "../failure.ts";

/** The part of the API the commands use; the running platform's own client has it too. */
export type ObjectClient = Pick<KubeClient, "get" | "list" | "create" | "patch" | "delete">;

/** An answer that takes longer is none. Every call here is answered from memory. */
const ANSWER_MS_MAX = 10_000;

const reasonOf: Readonly<Record<number, KubeErrorReason>> = {
  400: "BadRequest",
  404: "NotFound",
  405: "MethodNotAllowed",
  409: "Conflict",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
};

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: { readonly type: string; readonly value: unknown };
}

/**
 * Speaks to a running `rouse up` through its socket.
 * @throws Failure if nothing listens there; KubeError as `KubeClient` does
 */
export class SocketClient implements ObjectClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<Stored<T>> {
    return this.#call<Stored<T>>({ method: "GET", path: objectPath(kind, ref) });
  }

  async list<T extends KubeObject>(kind: Kind<T>, query: ListQuery = {}): Promise<ObjectList<T>> {
    const search = new URLSearchParams();
    if (query.labelSelector !== undefined) search.set("labelSelector", query.labelSelector);
    if (query.fieldSelector !== undefined) search.set("fieldSelector", query.fieldSelector);
    const path = `${collectionPath(kind, query.namespace)}?${search}`;
    const list = await this.#call<{
      items: readonly Stored<T>[];
      metadata: { resourceVersion: string };
    }>({ method: "GET", path });
    return { items: list.items, resourceVersion: list.metadata.resourceVersion };
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>> {
    const path = collectionPath(kind, object.metadata.namespace);
    return this.#call<Stored<T>>({ method: "POST", path, body: { type: "application/json", value: object } });
  }

  async patch<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, patch: Patch): Promise<Stored<T>> {
    const body =
      patch.kind === "merge"
        ? { type: "application/merge-patch+json", value: patch.body }
        : { type: "application/json-patch+json", value: patch.operations };
    return this.#call<Stored<T>>({ method: "PATCH", path: objectPath(kind, ref), body });
  }

  async delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<void> {
    await this.#call({ method: "DELETE", path: objectPath(kind, ref) });
  }

  /** One JSON page of the platform's own, such as `/rouse/timeline`. */
  async page<P>(path: string): Promise<P> {
    return this.#call<P>({ method: "GET", path });
  }

  /** `R` is what the platform's API, of the same version as this, answers with; it is not checked again here. */
  #call<R>(call: Call): Promise<R> {
    const text = call.body === undefined ? "" : JSON.stringify(call.body.value);
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          socketPath: this.#socketPath,
          method: call.method,
          path: call.path,
          timeout: ANSWER_MS_MAX,
          headers: {
            Host: "localhost",
            ...(call.body === undefined
              ? {}
              : { "Content-Type": call.body.type, "Content-Length": Buffer.byteLength(text) }),
          },
        },
        (response) => {
          let answer = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            answer += chunk;
          });
          response.once("error", (error) => reject(this.#unreachable(error)));
          response.once("end", () => {
            const status = response.statusCode ?? 0;
            try {
              const value = JSON.parse(answer);
              if (status < 300) resolve(value);
              else reject(kubeError(status, value));
            } catch (error) {
              reject(new Failure(`the platform's answer is no JSON: ${String(error)}`));
            }
          });
        },
      );
      sent.once("timeout", () => sent.destroy(new Error(`no answer within ${ANSWER_MS_MAX} ms`)));
      sent.once("error", (error) => reject(this.#unreachable(error)));
      sent.end(text);
    });
  }

  #unreachable(error: Error): Failure {
    const code = systemCode(error);
    return code === "ENOENT" || code === "ECONNREFUSED"
      ? new Failure(
          `no platform is running here: nothing listens on ${this.#socketPath}\n` +
            "start one with `rouse up`, or name its --data-dir",
        )
      : new Failure(`cannot speak to the platform on ${this.#socketPath}: ${error.message}`);
  }
}

function collectionPath(kind: Kind<KubeObject>, namespace: string | undefined): string {
  const root = kind.group === "" ? "/api" : "/apis";
  const scope =
    kind.isNamespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}/${apiVersion(kind)}${scope}/${kind.plural}`;
}

function objectPath(kind: Kind<KubeObject>, ref: ObjectRef): string {
  return `${collectionPath(kind, ref.namespace)}/${encodeURIComponent(ref.name)}`;
}

/** From a Kubernetes Status. P-30. */
function kubeError(
  status: number,
  body: { readonly reason?: KubeErrorReason; readonly message?: string },
): KubeError {
  const reason = body.reason ?? reasonOf[status] ?? "InternalError";
  return new KubeError(reason, body.message ?? `the platform answered ${status}`);
}

import { readFile } from "node:fs/promises";
import { request } from "node:https";
import type { KnativeService, KubeObject, ObjectList, Stored } from "@rouse/shared";

/** What the API answers with when it refuses. */
export class KnError extends Error {
  override readonly name = "KnError";
  readonly status: number;
  readonly reason: string;

  constructor(status: number, { reason = "", message = "" }: { reason?: string; message?: string }) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type WatchEvent = { readonly type: string; readonly object: Stored<KnativeService> };

/** A typed REST client as kn is one: JSON, a token, Status objects for errors. C-158 */
export class KnTransport {
  readonly #port: number;
  readonly #ca: string;
  readonly #token: string;

  private constructor(port: number, ca: string, token: string) {
    this.#port = port;
    this.#ca = ca;
    this.#token = token;
  }

  static async open(kubeconfig: string, port: number): Promise<KnTransport> {
    const text = await readFile(kubeconfig, "utf8");
    const ca = /certificate-authority-data: (\S+)/.exec(text)?.[1] ?? "";
    const token = /token: (\S+)/.exec(text)?.[1] ?? "";
    return new KnTransport(port, Buffer.from(ca, "base64").toString("utf8"), token);
  }

  /** @throws KnError with the code and reason of the Status */
  async call<T = unknown>(method: Method, path: string, body?: unknown): Promise<T> {
    const text = body === undefined ? "" : JSON.stringify(body);
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = {
      Authorization: `Bearer ${this.#token}`,
      Accept: "application/json",
      "Content-Type": type,
      // Node leaves it out of a DELETE.
      "Content-Length": Buffer.byteLength(text),
    };
    return await new Promise((resolve, reject) => {
      const to = { host: "127.0.0.1", port: this.#port, ca: this.#ca, method, path, headers, agent: false };
      const sent = request(to, (response) => {
        let said = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          said += part;
        });
        response.on("end", () => {
          const answer = JSON.parse(said);
          const status = response.statusCode ?? 0;
          if (status < 300) resolve(answer);
          else reject(new KnError(status, answer));
        });
      });
      sent.on("error", reject);
      sent.end(text);
    });
  }

  async find<T>(path: string): Promise<T | undefined> {
    try {
      return await this.call<T>("GET", path);
    } catch (error) {
      if (error instanceof KnError && error.status === 404 && error.reason === "NotFound") return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject>(
    path: string,
    { label, name }: { readonly label?: string; readonly name?: string },
  ): Promise<readonly Stored<T>[]> {
    const query = new URLSearchParams({
      ...(label === undefined ? {} : { labelSelector: label }),
      ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
    });
    return (await this.call<ObjectList<T>>("GET", `${path}?${query}`)).items;
  }

  /** Looks at every event until one of them settles `done`. */
  async watch(
    path: string,
    look: (event: WatchEvent, done: PromiseWithResolvers<Stored<KnativeService>>) => void,
  ): Promise<Stored<KnativeService>> {
    const done = Promise.withResolvers<Stored<KnativeService>>();
    const headers = { Authorization: `Bearer ${this.#token}`, Accept: "application/json" };
    const sent = request(
      { host: "127.0.0.1", port: this.#port, ca: this.#ca, path, headers, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
          const lines = text.split("\n");
          text = lines.pop() ?? "";
          for (const line of lines) look(JSON.parse(line), done);
        });
        response.on("end", () => done.reject(new Error("the watch has ended")));
      },
    );
    sent.on("error", (error) => done.reject(error));
    sent.end();
    try {
      return await done.promise;
    } finally {
      sent.destroy();
    }
  }
}

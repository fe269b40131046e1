import { rmSync } from "node:fs";
import { connect } from "node:net";
import type { Logger } from "@rouse/shared";
import { failure, json } from "./wire/answer.ts";
import { type ApiHandler, splitUrl } from "./wire/api-handler.ts";
import { ApiListener } from "./wire/api-listener.ts";

/** What a page shows, from the query of its address. */
export type Page = (query: URLSearchParams) => unknown;

export interface HttpFaceDeps {
  readonly api: Pick<ApiHandler, "handle">;
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

/** The API on a Unix domain socket, for the command line on the same machine: without a token, with pages of our own. */
export class HttpFace implements AsyncDisposable {
  readonly #listener: ApiListener;

  private constructor(listener: ApiListener) {
    this.#listener = listener;
  }

  /** @throws SocketInUseError; a system error if the socket cannot be made, such as a path too long for one */
  static async start({ api, log, pages = {} }: HttpFaceDeps, options: HttpFaceOptions): Promise<HttpFace> {
    const { socketPath } = options;
    await assertSocketFree(socketPath);
    rmSync(socketPath, { force: true }); // left behind by one that was killed
    const handle: ApiHandler["handle"] = async (request) => {
      const { path, search } = splitUrl(request.url);
      const page = Object.hasOwn(pages, path) && request.method === "GET" ? pages[path] : undefined;
      if (page === undefined) return api.handle(request);
      try {
        return json(await page(search));
      } catch (error) {
        log.error("a page failed", { path, error: String(error) });
        return failure(error);
      }
    };
    return new HttpFace(
      await ApiListener.start({ handler: { handle }, log }, { kind: "socket", socketPath }),
    );
  }

  /** Ends open connections; requests under way are cut. */
  close(): Promise<void> {
    return this.#listener.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
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

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";

const START_MS_MAX = 20_000;
const STOP_MS_MAX = 5_000;
const success = { GET: 200, POST: 201, PATCH: 200 } as const;
const BANNER = /^rouse \S+ on http:\/\/127\.0\.0\.1:(\d+)$/;

/** A `rouse up` of its own, on a free port and in a directory of its own. */
export class Platform implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #socketPath: string;

  private constructor(child: ChildProcess, port: number, socketPath: string) {
    this.#child = child;
    this.port = port;
    this.#socketPath = socketPath;
  }

  /** Starts the bundle in `folder`, with `manifest` in it. Resolves once the gateway listens. */
  static async start(options: {
    readonly root: string;
    readonly folder: string;
    readonly manifest: string;
  }): Promise<Platform> {
    const bundle = join(options.root, "packages/cli/dist/main.cjs");
    const child = spawn(process.execPath, [bundle, "up", options.manifest, "--port", "0"], {
      cwd: options.folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const listening = Promise.withResolvers<number>();
    const limit = setTimeout(() => listening.reject(new Error("rouse up says nothing")), START_MS_MAX);
    child.once("exit", (code) => listening.reject(new Error(`rouse up ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const port = BANNER.exec(line)?.[1];
      if (port !== undefined) listening.resolve(Number(port));
    });
    try {
      const port = await listening.promise;
      return new Platform(child, port, join(options.folder, ".rouse/api.sock"));
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    } finally {
      clearTimeout(limit);
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** One GET of its API. Rejects for any answer but 200. */
  api(path: string): Promise<unknown> {
    return this.#call("GET", path, undefined);
  }

  /** One POST to its API. Rejects for any answer but 201. */
  create(path: string, object: object): Promise<unknown> {
    return this.#call("POST", path, JSON.stringify(object));
  }

  /** One merge patch of its API. Rejects for any answer but 200. */
  patch(path: string, change: object): Promise<unknown> {
    return this.#call("PATCH", path, JSON.stringify(change));
  }

  #call(method: keyof typeof success, path: string, body: string | undefined): Promise<unknown> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = body === undefined ? {} : { "Content-Type": type };
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: this.#socketPath, method, path, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.once("end", () => {
          if (response.statusCode === success[method]) resolve(JSON.parse(text));
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.trim()}`));
        });
      });
      sent.once("error", reject);
      sent.end(body);
    });
  }

  /** As Ctrl-C. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    const limit = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS_MAX);
    this.#child.kill("SIGINT");
    await exited;
    clearTimeout(limit);
  }
}

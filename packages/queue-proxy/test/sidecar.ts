import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import type { ClientHttp2Session } from "node:http2";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { SIDECAR_ENVIRONMENT } from "@rouse/shared/testing";

const root = resolve(import.meta.dirname, "../../..");
export const ENTRY_POINT = join(root, "packages/queue-proxy/dist/main.cjs");
let started = 0;

/** As a controller injects it. Spec §2 */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  ...SIDECAR_ENVIRONMENT,
  CONTAINER_CONCURRENCY: "0",
  REVISION_RESPONSE_START_TIMEOUT_SECONDS: "0",
  REVISION_IDLE_TIMEOUT_SECONDS: "0",
  SERVING_READINESS_PROBE: "",
  SERVING_SERVICE: "hello",
  SERVING_POD_IP: "10.0.0.1",
};

/** Makes the real entry point, unless it is made from the sources as they are. */
export function buildEntryPoint(): void {
  const built = spawnSync(process.execPath, [join(root, "scripts/build.ts"), "--if-stale", "queue-proxy"], {
    encoding: "utf8",
  });
  if (built.status !== 0) throw new Error(built.stderr);
}

/** A sidecar as a process of its own, on a loopback address of its own with the contract's ports. */
export class SidecarProcess implements AsyncDisposable {
  readonly ip: string;
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";

  constructor(
    environment: Readonly<Record<string, string | undefined>>,
    {
      ip = ownIp(),
      flags = [],
      main = ENTRY_POINT,
    }: { readonly ip?: string; readonly flags?: readonly string[]; readonly main?: string } = {},
  ) {
    this.ip = ip;
    this.#child = spawn(process.execPath, [...flags, main], {
      env: { ...ENVIRONMENT, ROUSE_LISTEN_IP: ip, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.on("data", (piece: Buffer) => {
      this.#stdout += piece.toString();
    });
    this.#child.stderr?.on("data", (piece: Buffer) => {
      this.#stderr += piece.toString();
    });
    this.exited = once(this.#child, "close").then(([code]) => code);
  }

  static async start(
    environment: Readonly<Record<string, string | undefined>> = {},
  ): Promise<SidecarProcess> {
    const sidecar = new SidecarProcess(environment);
    for (const port of [8012, 8022, 9090]) await sidecar.listens(port);
    return sidecar;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The process log, one object per line. */
  get log(): readonly Record<string, unknown>[] {
    return this.#stderr
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  at(port: number): { readonly ip: string; readonly port: number } {
    return { ip: this.ip, port };
  }

  signal(name: "SIGTERM" | "SIGINT"): void {
    this.#child.kill(name);
  }

  /** Waits until something listens there. Rejects when the process has ended first. */
  async listens(port: number): Promise<void> {
    while (!(await opens(this.ip, port))) {
      if (this.#child.exitCode !== null) throw new Error(`it has ended: ${this.#stderr}`);
      await turn();
    }
  }

  /** Waits until the output says so. */
  async says(text: string): Promise<void> {
    while (!this.#stderr.includes(text) && !this.#stdout.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`it has ended without ${text}: ${this.#stderr}`);
      await turn();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }
}

/** A question about health as kubelet asks it. */
export const HEALTH = { "User-Agent": "kube-probe/1.33", "K-Network-Probe": "queue" };

export interface RawAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

/** One request whose answer is bytes. */
export function fetchBytes(
  at: { readonly ip: string; readonly port: number },
  path: string,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: at.ip, port: at.port, path, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          contentType: response.headers["content-type"],
          body: Buffer.concat(pieces),
        }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** Lets the event loop turn; what is waited for comes from another process. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** No two sidecars of one machine's test runs share an address: process, and number within it. */
export function ownIp(): string {
  started++;
  return `127.${64 + (started % 128)}.${1 + ((process.pid >> 8) % 254)}.${1 + (process.pid % 254)}`;
}

function opens(ip: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** What an activator's question about health is answered on a session of HTTP/2. */
export async function healthByHttp2(session: ClientHttp2Session): Promise<string> {
  const stream = session.request({
    ":path": "/healthz",
    "user-agent": "Knative-Activator-Probe",
    "k-network-probe": "queue",
  });
  let body = "";
  for await (const piece of stream) body += String(piece);
  return body;
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

/** A single request, timed on a raw socket. */
export interface RequestSample {
  /** Milliseconds since the Unix epoch, with fractions: comparable between processes of one machine. */
  readonly sentAt: number;
  /** From before the connection is opened to the first byte of the answer. */
  readonly tookMs: number;
  readonly status: number;
}

const ANSWER_MS_MAX = 30_000;
const RETRY_MS = 1;

/** Sends one GET and waits for the answer to begin. Rejects if the connection fails or closes without one. */
export function timeRequest(port: number, host: string): Promise<RequestSample> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy(new Error(`${host}: no answer`)));
    socket.once("connect", () =>
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    socket.once("data", (chunk: Buffer) => {
      const tookMs = performance.now() - startedAt;
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(chunk.toString("latin1"))?.[1]);
      resolve({ sentAt: performance.timeOrigin + startedAt, tookMs, status });
      socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error(`${host}: closed without an answer`)));
  });
}

/** The same program without a platform: from before its spawn to the first byte of its first answer. */
export async function timeBareSpawn(program: string): Promise<number> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = spawn(process.execPath, [program], {
    env: { PORT: String(port), K_REVISION: "bare" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    await firstAnswer(port, child);
    return performance.now() - startedAt;
  } finally {
    const exited = once(child, "exit");
    if (child.exitCode === null && child.kill("SIGKILL")) await exited;
  }
}

async function firstAnswer(port: number, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + ANSWER_MS_MAX;
  while (performance.now() < deadline && child.exitCode === null) {
    try {
      await timeRequest(port, "bare");
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  throw new Error("the bare program does not answer");
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

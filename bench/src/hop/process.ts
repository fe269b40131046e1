import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";

/** A clock tick of process accounting, as Linux reports it whatever its own rate. */
const TICK_US = 10_000;
const START_MS = 30_000;
const RETRY_MS = 20;

/** What to run, and where it will listen. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly port: number;
}

/** A process on one core, with what the system says it used. */
export class PinnedProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when its port is open; rejects when it ends before, or takes too long. */
  static async start(command: Command, core: number): Promise<PinnedProcess> {
    const child = spawn("taskset", ["-c", String(core), command.file, ...command.args], {
      env: { ...process.env, ...command.env },
      stdio: ["ignore", "ignore", "inherit"],
    });
    const started = new PinnedProcess(child);
    const untilMs = performance.now() + START_MS;
    while (!(await isOpen(command.port))) {
      if (child.exitCode !== null || performance.now() > untilMs) {
        child.kill("SIGKILL");
        throw new Error(`${command.file} ${command.args.join(" ")} did not open its port`);
      }
      await new Promise<void>((resolve) => setTimeout(resolve, RETRY_MS));
    }
    return started;
  }

  /** Processor time used so far, user and system. `taskset` becomes the program, so this is its own. */
  cpuUs(): number {
    const text = readFileSync(`/proc/${this.#child.pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_US;
  }

  /** Memory of its own that no file backs: heaps, buffers, stacks. */
  anonymousKib(): number {
    return this.#memoryKib(/^RssAnon:\s+(\d+) kB/m);
  }

  /** All it has in memory, what it shares with others included. */
  residentKib(): number {
    return this.#memoryKib(/^VmRSS:\s+(\d+) kB/m);
  }

  #memoryKib(line: RegExp): number {
    const text = readFileSync(`/proc/${this.#child.pid}/status`, "latin1");
    return Number(line.exec(text)?.[1] ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    this.#child.kill("SIGKILL");
    await exited;
  }
}

/** A port nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

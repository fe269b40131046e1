import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import type { Random } from "@rouse/shared";

/** Where all ports of this pool are. */
const LOOPBACK = "127.0.0.1";
const PORT_MIN = 10_000;
/** First port the system hands out by itself, when it does not say so; Linux's default. */
const EPHEMERAL_MIN_DEFAULT = 32_768;
/** Taken ports in a row before one the system picks is used instead. */
const TRIES_MAX = 200;

/**
 * Free ports, reserved ahead: each is kept listening until it is taken, so nobody else can get it in between, and
 * handing one out costs no system call but the close. They lie below the range the system uses for outgoing
 * connections, so that a pod which binds a little later does not find its port used by some client's socket. Ports are
 * walked in order, so one is not handed out again for thousands of others.
 */
export class PortPool implements AsyncDisposable {
  readonly #size: number;
  readonly #end: number;
  #next: number;
  readonly #reserved: { readonly port: number; readonly server: Server }[] = [];
  readonly #waiting: ((port: number) => void)[] = [];
  #filling: Promise<void> | undefined;
  #isClosed = false;

  private constructor(size: number, random: Random) {
    this.#size = size;
    this.#end = ephemeralMin();
    this.#next = random.integer(PORT_MIN, this.#end - 1);
  }

  /** Resolves once `size` ports are reserved. */
  static async start(
    deps: { readonly random: Random },
    options: { readonly size: number },
  ): Promise<PortPool> {
    const pool = new PortPool(options.size, deps.random);
    await pool.#fill();
    return pool;
  }

  /** Calls `use` with a port that is free: now, when one is in reserve, and else as soon as there is one. */
  take(use: (port: number) => void): void {
    const ready = this.#reserved.shift();
    if (ready === undefined) {
      this.#waiting.push(use);
    } else {
      ready.server.close(); // the system frees the port before this returns
      use(ready.port);
    }
    void this.#fill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#waiting.length = 0;
    await this.#filling;
    for (const { server } of this.#reserved.splice(0)) server.close();
  }

  #fill(): Promise<void> {
    this.#filling ??= this.#refill().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  async #refill(): Promise<void> {
    while (!this.#isClosed && this.#reserved.length < this.#size + this.#waiting.length) {
      const found = await this.#reserve();
      if (this.#isClosed) {
        found.server.close();
        return;
      }
      const use = this.#waiting.shift();
      if (use === undefined) {
        this.#reserved.push(found);
      } else {
        found.server.close();
        use(found.port);
      }
    }
  }

  async #reserve(): Promise<{ readonly port: number; readonly server: Server }> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const port = this.#next;
      this.#next = port + 1 < this.#end ? port + 1 : PORT_MIN;
      const server = await listen(port);
      if (server !== undefined) return { port, server };
    }
    const server = await listen(0);
    const address = server?.address();
    if (server === undefined || typeof address !== "object" || address === null) {
      throw new Error("no free port on 127.0.0.1");
    }
    return { port: address.port, server };
  }
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    // Whoever connects to a port nobody has taken yet is turned away.
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: LOOPBACK }, () => {
      server.unref();
      resolve(server);
    });
  });
}

function ephemeralMin(): number {
  try {
    const text = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
    const min = Number(text.split(/\s+/)[0]);
    return min > PORT_MIN + 1_000 ? min : EPHEMERAL_MIN_DEFAULT;
  } catch {
    return EPHEMERAL_MIN_DEFAULT;
  }
}

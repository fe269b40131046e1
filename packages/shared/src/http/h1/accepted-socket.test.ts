import { connect, createServer, type Server, Socket } from "node:net";
import { expect, test } from "vitest";
import { movedToOnRead } from "./accepted-socket.ts";

/** A listener that reads each connection into one buffer, and notes what came and how it ended. */
class Listener implements AsyncDisposable {
  readonly events: string[] = [];
  readonly port: number;
  readonly server: Server;
  readonly #waiters: (() => void)[] = [];

  private constructor(server: Server, port: number) {
    this.server = server;
    this.port = port;
    server.on("connection", (accepted) => this.#read(accepted));
  }

  static async start(): Promise<Listener> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return new Listener(server, address.port);
  }

  async until(event: string): Promise<void> {
    while (!this.events.includes(event)) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  connections(): Promise<number> {
    return new Promise((resolve) => this.server.getConnections((_error, count) => resolve(count)));
  }

  #read(accepted: Socket): void {
    const buffer = Buffer.alloc(16);
    const note = (event: string): void => {
      this.events.push(event);
      for (const wake of this.#waiters.splice(0)) wake();
    };
    const socket = movedToOnRead(accepted, {
      buffer,
      callback: (count) => {
        note(buffer.toString("latin1", 0, count));
        return true;
      },
    });
    note(`${socket === accepted ? "stays" : "moved"} ${socket.remotePort}`);
    socket.on("end", () => {
      note("end");
      socket.end("bye");
    });
    socket.on("error", (error: NodeJS.ErrnoException) => note(error.code ?? ""));
    socket.on("close", () => note("close"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve())); // once no connection is left
  }
}

test("an accepted connection is moved: read into the given buffer, half-closed, counted until it closes", async () => {
  await using listener = await Listener.start();
  const client = connect({ port: listener.port, host: "127.0.0.1", allowHalfOpen: true });
  const received: Buffer[] = [];
  client.on("data", (bytes) => received.push(bytes));
  await new Promise<void>((resolve) => client.once("connect", () => resolve()));
  client.write("hello");
  await listener.until("hello");
  expect(await listener.connections()).toBe(1);
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  const port = client.localPort;
  client.end();
  await listener.until("close");
  await closed;
  expect(listener.events).toEqual([`moved ${port}`, "hello", "end", "close"]);
  expect(await listener.connections()).toBe(0);
  expect(Buffer.concat(received).toString()).toBe("bye");
});

test("a moved connection hears of a reset", async () => {
  await using listener = await Listener.start();
  const client = connect(listener.port, "127.0.0.1");
  client.write("hello");
  await listener.until("hello");
  client.resetAndDestroy();
  await listener.until("close");
  expect(listener.events.slice(1)).toEqual(["hello", "ECONNRESET", "close"]);
});

test("a socket whose connection cannot be taken is returned as it was", () => {
  const socket = new Socket();
  expect(movedToOnRead(socket, { buffer: Buffer.alloc(1), callback: () => true })).toBe(socket);
});

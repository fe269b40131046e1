import { connect, createServer, type Server, type Socket } from "node:net";

const HEAD_BYTES_MAX = 16_384;

/** Where a Service leads now. */
export type Resolve = (service: {
  readonly name: string;
  readonly namespace: string;
}) => { readonly ip: string; readonly port: number } | undefined;

/** What a cluster's network does for names of Services: by the Host of the first request, to one of the endpoints. */
export class ServiceProxy implements Disposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(resolve: Resolve) {
    this.#server = createServer((client) => this.#take(client, resolve));
  }

  static async start(ip: string, resolve: Resolve): Promise<ServiceProxy> {
    const proxy = new ServiceProxy(resolve);
    await new Promise<void>((listening) => proxy.#server.listen(0, ip, listening));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  [Symbol.dispose](): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #take(client: Socket, resolve: Resolve): void {
    this.#keep(client);
    let head = "";
    const read = (part: Buffer): void => {
      head += part.toString("latin1");
      if (!head.includes("\r\n\r\n") && head.length < HEAD_BYTES_MAX) return;
      client.off("data", read);
      const [name = "", namespace = ""] = (/^host:\s*([^\s:]+)/im.exec(head)?.[1] ?? "").split(".");
      const to = resolve({ name, namespace });
      if (to === undefined) {
        client.destroy();
        return;
      }
      const upstream = connect({ host: to.ip, port: to.port });
      this.#keep(upstream);
      upstream.write(head, "latin1");
      client.pipe(upstream).pipe(client);
      upstream.on("close", () => client.destroy());
      client.on("close", () => upstream.destroy());
    };
    client.on("data", read);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  }
}

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Clock, Pod, Stored } from "@rouse/shared";
import type { Sidecar, SidecarFactory, SidecarPlace } from "../sidecar.ts";

/** A stand-in for queue-proxy over real sockets: passes connections on, counts them, drains. For tests. */
export class TcpSidecars implements SidecarFactory {
  readonly #clock: Clock;
  /** Addresses that were in use, with the pod that asked for them. */
  readonly refused: string[] = [];
  readonly started: TcpSidecar[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async start(_pod: Stored<Pod>, place: SidecarPlace): Promise<Sidecar> {
    try {
      const sidecar = await TcpSidecar.start(this.#clock, place);
      this.started.push(sidecar);
      return sidecar;
    } catch (error) {
      this.refused.push(place.ip);
      throw error;
    }
  }
}

class TcpSidecar implements Sidecar {
  readonly address: { readonly ip: string; readonly port: number };
  readonly #clock: Clock;
  readonly #place: SidecarPlace;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #whenIdle: (() => void)[] = [];

  private constructor(clock: Clock, place: SidecarPlace) {
    this.#clock = clock;
    this.#place = place;
    this.address = { ip: place.ip, port: place.port };
    this.#server = createServer((socket) => this.#pass(socket));
  }

  static async start(clock: Clock, place: SidecarPlace): Promise<TcpSidecar> {
    const sidecar = new TcpSidecar(clock, place);
    sidecar.#server.listen({ host: place.ip, port: place.port });
    await once(sidecar.#server, "listening");
    return sidecar;
  }

  get inFlight(): number {
    return this.#sockets.size;
  }

  async awaitReady(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await this.checkReady()) {
        this.#place.portOpened();
        return true;
      }
      await new Promise<void>((resolve) => {
        this.#clock.after(2, resolve);
      });
    }
    return false;
  }

  checkReady(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.#place.userPort, "127.0.0.1");
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
  }

  async drain(): Promise<void> {
    this.#server.close();
    if (this.#sockets.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pass(socket: Socket): void {
    this.#sockets.add(socket);
    const upstream = connect(this.#place.userPort, "127.0.0.1");
    socket.pipe(upstream).pipe(socket);
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
    socket.on("close", () => {
      upstream.destroy();
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) for (const idle of this.#whenIdle.splice(0)) idle();
    });
  }
}

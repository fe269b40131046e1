import type { Socket } from "node:net";
import type { TimerWheel } from "../../clock/timer-wheel.ts";
import { TUNNEL_LINGER_MS } from "../limits.ts";
import { Alarm } from "./alarm.ts";
import { CLOSE_GOING_AWAY, WebSocketFarewell } from "./websocket-farewell.ts";

/** The client's connection, as a tunnel needs it. */
export interface TunnelClient {
  readonly wheel: TimerWheel;
  readonly needsDrain: boolean;
  /** Something written has not reached the kernel yet. */
  readonly hasUnsent: boolean;
  /** Bytes of this read are still to be written. */
  keepUntilWritten(): void;
  allWritten(): void;
  writeBytes(bytes: Buffer): void;
  endWriting(): void;
  pauseReading(): void;
  resumeReading(): void;
}

/** The upstream's, likewise. */
export interface TunnelUpstream {
  readonly socket: Socket;
  keepBuffer(): void;
}

/**
 * Two connections after a switch of protocols: bytes both ways, as fast as the slower side takes them. Each side may end
 * on its own; once the client has, the upstream may finish what it has to say, for a while. Q-85.
 */
export class Tunnel {
  readonly #client: TunnelClient;
  readonly #upstream: TunnelUpstream;
  readonly #over: () => void;
  readonly #timer: Alarm;
  readonly #farewell: WebSocketFarewell | undefined;
  #ended: "none" | "client" | "upstream" = "none";

  /** `over` is called at most once, when both sides have ended or time is up. */
  constructor(
    sides: { readonly client: TunnelClient; readonly upstream: TunnelUpstream },
    how: { readonly isWebSocket: boolean },
    over: () => void,
  ) {
    this.#client = sides.client;
    this.#upstream = sides.upstream;
    this.#over = over;
    this.#timer = new Alarm(sides.client.wheel, over);
    this.#farewell = how.isWebSocket ? new WebSocketFarewell() : undefined;
  }

  fromClient(bytes: Buffer): void {
    const { socket } = this.#upstream;
    if (socket.writableEnded) return;
    if (!socket.write(bytes)) this.#client.pauseReading();
    if (socket.writableLength === 0) this.#client.allWritten();
    else this.#client.keepUntilWritten();
  }

  clientEnded(): void {
    if (this.#ended === "upstream") {
      this.#over();
      return;
    }
    this.#ended = "client";
    this.#upstream.socket.end();
    this.#timer.arm(TUNNEL_LINGER_MS);
  }

  /** How far `bytes[from, to)` go on to the client; behind a close frame nothing does. */
  relayable(bytes: Buffer, from: number, to: number): number {
    return this.#farewell?.relay(bytes, from, to) ?? to;
  }

  fromUpstream(bytes: Buffer): void {
    if (bytes.length > 0) {
      this.#client.writeBytes(bytes);
      if (this.#client.hasUnsent) this.#upstream.keepBuffer();
    }
    this.#sayFarewell();
    if (this.#client.needsDrain) this.#upstream.socket.pause();
  }

  upstreamEnded(): void {
    if (this.#ended === "client") {
      this.#over();
      return;
    }
    this.#ended = "upstream";
    this.#client.endWriting();
  }

  upstreamDrained(): void {
    this.#client.allWritten();
    this.#client.resumeReading();
  }

  /** A WebSocket's client is told to go elsewhere, once what the upstream is saying has been said. */
  close(): void {
    this.#farewell?.want();
    this.#sayFarewell();
  }

  disarm(): void {
    this.#timer.disarm();
  }

  #sayFarewell(): void {
    if (this.#farewell?.takeDue() !== true) return;
    this.#client.writeBytes(CLOSE_GOING_AWAY);
    this.#timer.arm(TUNNEL_LINGER_MS);
  }
}

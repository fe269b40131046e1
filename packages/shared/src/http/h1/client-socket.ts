import type { Socket } from "node:net";
import type { TimerWheel } from "../../clock/timer-wheel.ts";
import type { ClientPeer } from "../exchange.ts";
import type { ServerCore } from "../server-core.ts";
import { Outgoing } from "./outgoing.ts";
import { ReadAhead } from "./read-ahead.ts";
import type { TunnelClient } from "./tunnel.ts";

/** A client's socket: what goes out on it, when it is read, and what was read before anyone wanted it. */
export abstract class ClientSocket<C> implements TunnelClient {
  readonly out: Outgoing;
  protected readonly core: ServerCore<C>;
  protected readonly socket: Socket;
  protected readonly peer: ClientPeer;
  protected readonly ahead: ReadAhead;
  #isPaused = false;

  constructor(core: ServerCore<C>, socket: Socket, peer: ClientPeer) {
    this.core = core;
    this.socket = socket;
    this.peer = peer;
    this.out = new Outgoing(socket);
    this.ahead = new ReadAhead(core);
  }

  get areTunnelsClosing(): boolean {
    return this.core.areTunnelsClosing;
  }

  get wheel(): TimerWheel {
    return this.core.wheel;
  }

  /** The client's address for `X-Forwarded-For`; `undefined` when the server does not add it. */
  get forwardedFor(): string | undefined {
    return this.core.addsForwardedFor ? this.peer.ip : undefined;
  }

  get needsDrain(): boolean {
    return this.socket.writableNeedDrain;
  }

  get hasUnsent(): boolean {
    return this.socket.writableLength > 0;
  }

  date(): string {
    return this.core.date();
  }

  writeBytes(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  endWriting(): void {
    this.socket.end();
  }

  pauseReading(): void {
    this.#isPaused = true;
    this.socket.pause();
  }

  resumeReading(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.socket.resume();
  }

  /** Keeps bytes nobody wants yet; once there are too many of them, no more is read. */
  protected keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.ahead.push(bytes);
    if (this.ahead.isFull) this.pauseReading();
  }
}

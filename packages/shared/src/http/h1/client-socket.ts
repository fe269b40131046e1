import type { Socket } from "node:net";
import type { TimerWheel } from "../../clock/timer-wheel.ts";
import type { ClientPeer } from "../exchange.ts";
import type { ServerCore } from "../server-core.ts";
import { movedToOnRead } from "./accepted-socket.ts";
import { ClientReads } from "./client-reads.ts";
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
  readonly #reads: ClientReads;
  #isPaused = false;

  constructor(core: ServerCore<C>, accepted: Socket, peer: ClientPeer) {
    this.core = core;
    this.#reads = new ClientReads(core.readBuffers);
    this.socket = peer.isTls ? this.#readByNode(accepted) : this.#readByBuffer(accepted);
    this.peer = peer;
    this.out = new Outgoing(this.socket);
    this.ahead = new ReadAhead(core);
  }

  /** What comes is a body or a tunnel, on its way to someone who takes it. */
  abstract get isStreaming(): boolean;

  /** Takes what has been read; what of it is needed afterwards has to be kept. */
  protected abstract received(bytes: Buffer): void;

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

  /** Bytes of this read are still to be written. */
  keepUntilWritten(): void {
    this.#reads.keepUntilWritten();
  }

  /** Where the body or tunnel goes, nothing is left to be written. */
  allWritten(): void {
    this.#reads.allWritten();
  }

  /** Bytes of this read are needed for longer. */
  protected keepBytes(): void {
    this.#reads.keep();
  }

  #readByBuffer(accepted: Socket): Socket {
    let isAsked = false;
    const socket = movedToOnRead(accepted, {
      buffer: () => {
        if (isAsked) return this.#reads.buffer(this);
        isAsked = true; // by the constructor of the socket, before there is more of us
        return this.#reads.buffer(AT_REST);
      },
      callback: (count) => {
        this.received(this.#reads.read(count));
        return true;
      },
    });
    return isAsked ? socket : this.#readByNode(socket);
  }

  /** Each read is a buffer of its own. */
  #readByNode(accepted: Socket): Socket {
    accepted.on("data", (bytes: Buffer) => this.received(bytes));
    return accepted.resume();
  }

  /** Keeps bytes nobody wants yet; once there are too many of them, no more is read. */
  protected keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.keepBytes();
    this.ahead.push(bytes);
    if (this.ahead.isFull) this.pauseReading();
  }
}

const AT_REST = { isStreaming: false } as const;

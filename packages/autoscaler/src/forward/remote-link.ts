import type { Clock } from "@rouse/shared";
import { WebSocket } from "ws";

/** Each address is given this long. S-137. */
const DIAL_MS_MAX = 500;
/** S-34: a ping this often, and the other side is gone without an answer for the second time. */
const PING_MS = 10_000 / 3;
const SILENCE_MS_MAX = 10_000;
/** What the other side has not taken yet; with more of it the link counts as stalled. */
const BUFFERED_BYTES_MAX = 1_024 * 1_024;

/** A connection to another autoscaler, opened when there is something to send and again after it broke. S-137. */
export class RemoteLink implements Disposable {
  readonly #clock: Clock;
  readonly #urls: readonly string[];
  #socket: WebSocket | undefined;
  #ping: Disposable | undefined;
  #heardAt = 0;
  #isDialing = false;
  #isClosed = false;

  /** @param urls tried in order */
  constructor(clock: Clock, urls: readonly string[]) {
    this.#clock = clock;
    this.#urls = urls;
  }

  /** `false` if it cannot go out now; then a connection is on its way, unless it has just failed. */
  send(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    if (socket?.readyState === WebSocket.OPEN && socket.bufferedAmount < BUFFERED_BYTES_MAX) {
      socket.send(bytes);
      return true;
    }
    if (socket === undefined && !this.#isDialing && !this.#isClosed) void this.#dial();
    return false;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#ping?.[Symbol.dispose]();
    this.#socket?.terminate();
  }

  async #dial(): Promise<void> {
    this.#isDialing = true;
    for (const url of this.#urls) {
      const socket = await this.#open(url);
      if (socket === undefined) continue;
      if (this.#isClosed) socket.terminate();
      else this.#keep(socket);
      break;
    }
    this.#isDialing = false;
  }

  #open(url: string): Promise<WebSocket | undefined> {
    return new Promise((resolve) => {
      const socket = new WebSocket(url, { perMessageDeflate: false });
      const timer = this.#clock.after(DIAL_MS_MAX, () => socket.terminate());
      const settle = (opened: WebSocket | undefined): void => {
        timer[Symbol.dispose]();
        resolve(opened);
      };
      socket.on("error", () => settle(undefined));
      socket.on("close", () => settle(undefined));
      socket.on("open", () => settle(socket));
    });
  }

  #keep(socket: WebSocket): void {
    this.#socket = socket;
    this.#heardAt = this.#clock.now();
    socket.on("pong", () => {
      this.#heardAt = this.#clock.now();
    });
    socket.on("close", () => {
      this.#ping?.[Symbol.dispose]();
      this.#socket = undefined;
    });
    this.#askForLife(socket);
  }

  #askForLife(socket: WebSocket): void {
    this.#ping = this.#clock.after(PING_MS, () => {
      if (this.#clock.now() - this.#heardAt > SILENCE_MS_MAX) {
        socket.terminate();
        return;
      }
      if (socket.readyState === WebSocket.OPEN) socket.ping();
      this.#askForLife(socket);
    });
  }
}

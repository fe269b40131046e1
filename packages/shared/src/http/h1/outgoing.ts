import type { Socket } from "node:net";
import { JOINED_WRITE_BYTES_MAX } from "../limits.ts";

/**
 * What goes out on one socket. Text and small bodies are gathered, so that what comes of one read leaves in one write;
 * larger bytes go beside it as they lie.
 */
export class Outgoing {
  readonly #socket: Socket;
  #text = "";

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get isEmpty(): boolean {
    return this.#text === "";
  }

  add(text: string): void {
    this.#text += text;
  }

  /** Body bytes as they are. Returns whether the bytes themselves are on their way, rather than a copy. */
  body(bytes: Buffer, from: number, to: number): boolean {
    if (this.#text.length + (to - from) <= JOINED_WRITE_BYTES_MAX) {
      this.#text += bytes.toString("latin1", from, to);
      return false;
    }
    const socket = this.#socket;
    const piece = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
    if (this.#text === "") socket.write(piece);
    else {
      socket.cork();
      this.flush();
      socket.write(piece);
      socket.uncork();
    }
    return true;
  }

  /** The same as one chunk. RFC 9112 §7.1. */
  chunk(bytes: Buffer, from: number, to: number): boolean {
    this.#text += `${(to - from).toString(16)}\r\n`;
    const isInPlace = this.body(bytes, from, to);
    this.#text += "\r\n";
    return isInPlace;
  }

  /** Sends what has been gathered. `false`: the socket takes no more for now. */
  flush(): boolean {
    const text = this.#text;
    this.#text = "";
    return this.#socket.write(text, "latin1");
  }
}

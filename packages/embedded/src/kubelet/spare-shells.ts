import type { Socket } from "node:net";

/** A process that waits for a line to become a program. */
interface Spare {
  readonly pid: number;
  readonly socket: Socket;
}

/** Shells that were forked ahead, oldest first, each with the socket on which it waits for its line. */
export class SpareShells implements Disposable {
  readonly #spares: Spare[] = [];
  readonly #ended: (pid: number) => void;

  /** `ended` is told of one that went before it was of use. */
  constructor(ended: (pid: number) => void) {
    this.#ended = ended;
  }

  get count(): number {
    return this.#spares.length;
  }

  add(pid: number, socket: Socket): void {
    const spare = { pid, socket };
    this.#spares.push(spare);
    socket.on("error", () => {}); // a close follows
    socket.once("close", () => {
      const at = this.#spares.indexOf(spare);
      if (at < 0) return;
      this.#spares.splice(at, 1);
      this.#ended(pid);
    });
    socket.resume(); // or its end would not be noticed
    socket.unref();
  }

  /** One of them is told before this returns; which it was. `undefined`: there was none. */
  tell(line: string): number | undefined {
    const spare = this.#spares.shift();
    if (spare === undefined) return undefined;
    const { pid, socket } = spare;
    socket.write(line);
    // It reads to the end of what comes. Closing is at once; an orderly end waits for the next turn of the event loop.
    if (socket.writableLength === 0) socket.destroy();
    else socket.end();
    return pid;
  }

  [Symbol.dispose](): void {
    for (const { socket } of this.#spares.splice(0)) socket.destroy();
  }
}

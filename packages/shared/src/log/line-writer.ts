import { writeSync } from "node:fs";

/** What is gathered before it must be written. */
const GATHERED_LENGTH_MAX = 8_192;

/**
 * Writes lines to a file descriptor, each one whole, several at a time: those of one turn of the event loop leave
 * together. A reader that is too slow holds up no request: what it does not take is dropped and counted, and the count
 * goes out with the next line it takes.
 */
export class LineWriter {
  readonly #descriptor: number;
  #gathered = "";
  #isScheduled = false;
  #dropped = 0;
  /** Bytes of a line that was taken in part: its rest goes first, so that lines stay whole. */
  #rest: Buffer | undefined;

  constructor(descriptor: 1 | 2) {
    this.#descriptor = descriptor;
  }

  write(line: string): void {
    this.#gathered += line;
    if (this.#gathered.length >= GATHERED_LENGTH_MAX) this.flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      queueMicrotask(() => {
        this.#isScheduled = false;
        this.flush();
      });
    }
  }

  flush(): void {
    if (this.#gathered === "" && this.#rest === undefined) return;
    const note = this.#dropped > 0 ? `{"message":"log lines dropped","count":${this.#dropped}}\n` : "";
    const bytes = Buffer.from(note + this.#gathered);
    const lines = this.#gathered.split("\n").length - 1;
    this.#gathered = "";
    if (!this.#put(this.#rest)) {
      this.#dropped += lines;
      return;
    }
    if (this.#put(bytes)) this.#dropped = 0;
    else if (this.#rest === undefined) this.#dropped += lines;
  }

  /** Whether all of it is gone; what is left of a part goes to `#rest`. */
  #put(bytes: Buffer | undefined): boolean {
    if (bytes === undefined) return true;
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(this.#descriptor, bytes, at);
      this.#rest = undefined;
      return true;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      // Full for now (EAGAIN), or nobody reads any more: neither is a reason to die.
      this.#rest = code === "EAGAIN" && (at > 0 || bytes === this.#rest) ? bytes.subarray(at) : undefined;
      return false;
    }
  }
}

/** Most requests fit, and are copied. Who has more to say is read into a buffer that is written on from. */
const SHARED_BYTES = 16_384;
const OWN_BYTES = 65_536;

/** Where the clients' connections of one server are read to. */
export class ReadBuffers {
  /** Every connection reads into this, and what came is copied at once: a few hundred bytes, mostly. */
  readonly shared = Buffer.allocUnsafeSlow(SHARED_BYTES);
  #spare: Buffer | undefined;

  take(): Buffer {
    const buffer = this.#spare ?? Buffer.allocUnsafeSlow(OWN_BYTES);
    this.#spare = undefined;
    return buffer;
  }

  /** Nobody needs what is in it. */
  giveBack(buffer: Buffer): void {
    this.#spare = buffer;
  }
}

/**
 * Which buffer one client's connection is read into. At rest and for small things it is the one of all, so that a
 * connection that waits has none. While large reads of a body come it is one of its own, which is written on from. Where
 * the kernel did not take all of it at once, the next read gets another, and the two take turns; what is kept for another
 * reason is left to whoever keeps it.
 */
export class ClientReads {
  readonly #buffers: ReadBuffers;
  #own: Buffer | undefined;
  /** Of the last read: how much it was, and whether anyone still needs it. */
  #bytes = 0;
  #isKept: "no" | "until-written" | "for-good" = "no";
  /** An own buffer of before, of which some may still have to be written. */
  #unwritten: Buffer | undefined;

  constructor(buffers: ReadBuffers) {
    this.#buffers = buffers;
  }

  /**
   * What has come: `count` bytes in the buffer given before. They stay as they are where the buffer was the one of all;
   * otherwise until the next `buffer`, or as long as they are kept.
   */
  read(count: number): Buffer {
    this.#bytes = count;
    this.#isKept = "no";
    const own = this.#own;
    if (own !== undefined) return count === own.length ? own : own.subarray(0, count);
    const bytes = Buffer.allocUnsafe(count);
    this.#buffers.shared.copy(bytes, 0, 0, count);
    return bytes;
  }

  /** Bytes of this read are needed for as long as anyone likes. What comes behind them may go elsewhere. */
  keep(): void {
    this.#isKept = "for-good";
    this.#unwritten = undefined; // `allWritten` will speak of where that goes
  }

  /** Bytes of this read are still to be written. */
  keepUntilWritten(): void {
    if (this.#isKept === "no") this.#isKept = "until-written";
  }

  /** Where this body or tunnel goes, all that was kept until then has been written. */
  allWritten(): void {
    if (this.#unwritten === undefined) return;
    this.#buffers.giveBack(this.#unwritten);
    this.#unwritten = undefined;
  }

  /** The buffer of the next read. `isStreaming`: what comes is a body or a tunnel, on its way to someone who takes it. */
  buffer({ isStreaming }: { readonly isStreaming: boolean }): Buffer {
    const own = this.#own;
    const isFree = this.#isKept === "no";
    if (isStreaming && this.#bytes >= SHARED_BYTES) {
      if (own !== undefined && isFree) return own;
      if (this.#isKept === "until-written") this.#unwritten = own;
      this.#own = this.#buffers.take();
      return this.#own;
    }
    if (own !== undefined && isFree) this.#buffers.giveBack(own);
    this.#own = undefined;
    this.#unwritten = undefined;
    return this.#buffers.shared;
  }
}

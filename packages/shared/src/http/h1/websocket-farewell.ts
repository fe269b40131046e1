/** A close frame of a server with status 1001, "going away". RFC 6455 §5.5.1, §7.4.1. */
export const CLOSE_GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

const OPCODE_BITS = 0x0f;
const OPCODE_CLOSE = 0x08;
const MASK_BIT = 0x80;
const LENGTH_BITS = 0x7f;
/** Lengths that say how many bytes of a longer one follow. */
const IS_16_BIT = 126;
const IS_64_BIT = 127;
const MASK_BYTES = 4;

/**
 * Follows the frames of a WebSocket towards its client, so that a close frame of ours may stand between two of them: RFC
 * 6455 §5.2. Control frames may stand between the fragments of a message, too (§5.4). Behind a close frame, whosever it
 * is, nothing follows.
 */
export class WebSocketFarewell {
  /** `wanted`: ours waits for the end of a frame. `due`: it comes next. `said`: a close frame is on its way. */
  #state: "none" | "wanted" | "due" | "said" = "none";
  /** Bytes of the frame's head that have come, and how many there are as far as they tell. */
  #headBytes = 0;
  #headBytesMax = 2;
  #lengthBytesLeft = 0;
  #isClose = false;
  /** Of the frame, as far as its head has told; then what is still to come of it. */
  #payloadBytes = 0;

  /** Our close frame is to be sent, as soon as it may be. */
  want(): void {
    if (this.#state === "none") this.#state = this.#isBetweenFrames ? "due" : "wanted";
  }

  /** Follows `bytes[from, to)`. Returns how far they may be relayed. */
  relay(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && this.#state !== "due" && this.#state !== "said") {
      at = this.#isInHead ? this.#readHead(bytes[at] ?? 0, at) : this.#skipPayload(at, to);
      if (this.#isBetweenFrames) this.#frameEnded();
    }
    return at;
  }

  /** Whether our close frame is to be sent now. Told once. */
  takeDue(): boolean {
    if (this.#state !== "due") return false;
    this.#state = "said";
    return true;
  }

  get #isInHead(): boolean {
    return this.#headBytes < this.#headBytesMax;
  }

  get #isBetweenFrames(): boolean {
    return this.#headBytes === 0;
  }

  #readHead(byte: number, at: number): number {
    this.#headBytes++;
    if (this.#headBytes === 1) this.#isClose = (byte & OPCODE_BITS) === OPCODE_CLOSE;
    else if (this.#headBytes === 2) this.#readLength(byte);
    else if (this.#lengthBytesLeft > 0) {
      this.#lengthBytesLeft--;
      this.#payloadBytes = this.#payloadBytes * 256 + byte;
    }
    if (!this.#isInHead && this.#payloadBytes === 0) this.#headBytes = 0;
    return at + 1;
  }

  #readLength(byte: number): void {
    const length = byte & LENGTH_BITS;
    this.#lengthBytesLeft = length === IS_64_BIT ? 8 : length === IS_16_BIT ? 2 : 0;
    this.#payloadBytes = this.#lengthBytesLeft > 0 ? 0 : length;
    this.#headBytesMax = 2 + this.#lengthBytesLeft + ((byte & MASK_BIT) === 0 ? 0 : MASK_BYTES);
  }

  #skipPayload(at: number, to: number): number {
    const count = Math.min(this.#payloadBytes, to - at);
    this.#payloadBytes -= count;
    if (this.#payloadBytes === 0) this.#headBytes = 0;
    return at + count;
  }

  #frameEnded(): void {
    this.#headBytesMax = 2;
    if (this.#isClose) this.#state = "said";
    else if (this.#state === "wanted") this.#state = "due";
  }
}

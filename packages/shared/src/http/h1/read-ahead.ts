import { READ_AHEAD_BYTES_MAX } from "../limits.ts";

/** What all connections of a server have read ahead, and may. */
export interface ReadAheadBudget {
  readAheadBytes: number;
  readonly limits: { readonly readAheadTotalBytesMax: number };
}

/** Bytes of one connection that came before anyone wanted them, in order. */
export class ReadAhead {
  readonly #budget: ReadAheadBudget;
  #pieces: Buffer[] = NONE;
  #bytes = 0;

  constructor(budget: ReadAheadBudget) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** It, or all of them, have what they may: no more is to be read for now. */
  get isFull(): boolean {
    const { readAheadBytes, limits } = this.#budget;
    return this.#bytes >= READ_AHEAD_BYTES_MAX || readAheadBytes >= limits.readAheadTotalBytesMax;
  }

  push(bytes: Buffer): void {
    if (this.#pieces === NONE) this.#pieces = [];
    this.#pieces.push(bytes);
    this.#count(bytes.length);
  }

  shift(): Buffer | undefined {
    const bytes = this.#pieces.shift();
    if (bytes !== undefined) this.#count(-bytes.length);
    return bytes;
  }

  /** Puts the rest of what was shifted back in front. */
  unshift(bytes: Buffer): void {
    if (this.#pieces === NONE) this.#pieces = [];
    this.#pieces.unshift(bytes);
    this.#count(bytes.length);
  }

  /** All of it with `bytes` behind, which stay the caller's. */
  joinedWith(bytes: Buffer): Buffer {
    return this.#bytes === 0 ? bytes : Buffer.concat([...this.#pieces, bytes]);
  }

  forget(): void {
    this.#count(-this.#bytes);
    this.#pieces = NONE;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.readAheadBytes += bytes;
  }
}

/** Most connections never read ahead, and share this. */
const NONE: Buffer[] = [];

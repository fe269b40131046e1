import type { RequestHead } from "@rouse/shared";

/** What requests that wait may take of memory. Their bodies stay in the kernel, so it is their heads. Design §6. */
export interface HeldBytesLimits {
  readonly perRevision: number;
  readonly perProcess: number;
}

const MIB = 1_048_576;
export const heldBytesLimits: HeldBytesLimits = { perRevision: 64 * MIB, perProcess: 256 * MIB };

/** Counts the bytes of those held, for the process; the revision's part is in its own `bytes`. */
export class HeldBytes {
  readonly #limits: HeldBytesLimits;
  #total = 0;

  constructor(limits: HeldBytesLimits) {
    this.#limits = limits;
  }

  get total(): number {
    return this.#total;
  }

  /** Whether there is room for `bytes` more; if so, they are counted. */
  take(revision: { heldBytes: number }, bytes: number): boolean {
    if (revision.heldBytes + bytes > this.#limits.perRevision) return false;
    if (this.#total + bytes > this.#limits.perProcess) return false;
    revision.heldBytes += bytes;
    this.#total += bytes;
    return true;
  }

  giveBack(revision: { heldBytes: number }, bytes: number): void {
    revision.heldBytes -= bytes;
    this.#total -= bytes;
  }
}

/** About what the head of a request takes: its text, as it came. Asked of those that wait only. */
export function headBytes(request: RequestHead): number {
  let bytes = request.method.length + request.target.length;
  for (const [name, value] of request.entries()) bytes += name.length + value.length;
  return bytes;
}

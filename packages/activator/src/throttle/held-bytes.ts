import type { RequestHead } from "@rouse/shared";

/** What requests that wait may take of memory. Their bodies stay in the kernel, so it is their heads. Design §6. */
export interface HeldBytesLimits {
  readonly perRevision: number;
  readonly perProcess: number;
}

const MIB = 1_048_576;
export const heldBytesLimits: HeldBytesLimits = { perRevision: 64 * MIB, perProcess: 256 * MIB };

/**
 * Counts the bytes of those held, for the process; the revision's part is in its own `heldBytes`. Once half of it is
 * taken, a revision is let have no more than leaves as much for another one, so that a few with long queues do not
 * turn away the first request of the next.
 */
export class HeldBytes {
  readonly #limits: HeldBytesLimits;
  #total = 0;
  /** Revisions that hold any. */
  #holders = 0;

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
    if (this.#isScarce(bytes) && revision.heldBytes + bytes > this.#fairShare) return false;
    if (revision.heldBytes === 0 && bytes > 0) this.#holders++;
    revision.heldBytes += bytes;
    this.#total += bytes;
    return true;
  }

  giveBack(revision: { heldBytes: number }, bytes: number): void {
    if (bytes === 0) return;
    revision.heldBytes -= bytes;
    this.#total -= bytes;
    if (revision.heldBytes === 0) this.#holders--;
  }

  #isScarce(bytes: number): boolean {
    return this.#total + bytes > this.#limits.perProcess / 2;
  }

  /** What each may have where there is always room for one revision more. */
  get #fairShare(): number {
    return this.#limits.perProcess / (this.#holders + 1);
  }
}

/** About what the head of a request takes: its text, as it came. Asked of those that wait only. */
export function headBytes(request: RequestHead): number {
  let bytes = request.method.length + request.target.length;
  for (const [name, value] of request.entries()) bytes += name.length + value.length;
  return bytes;
}

import { type Fault, faults } from "../fault.ts";
import { type FieldId, fieldOf } from "../field.ts";
import type { FieldBlock } from "../field-block.ts";
import { COLON, CR, FIELD_VALUE, HTAB, LF, SP, TOKEN } from "../grammar.ts";

/** What became of the bytes given to a parser: it wants more, has a whole head, or refuses. */
export type HeadProgress = "more" | "done" | "fault";

/** First size of the buffer for a head that comes in pieces. */
const PIECES_BYTES_MIN = 1_024;

/**
 * Parses one head after another, from bytes to a `FieldBlock`; no socket, no clock. A head that arrives whole is parsed
 * where it lies, and its bytes are kept by reference; one that arrives in pieces is gathered first. Whatever the pieces,
 * the outcome is the same: a line is looked at only when it is whole, and nothing behind `bytesMax` counts.
 *
 * Lines end in CRLF only; a bare CR or LF, folding, and white space before the colon are refused. RFC 9112 §2.2, §5.
 */
export abstract class HeadParser<H extends FieldBlock> {
  /** Of the last `done`: where in the given bytes the head ended. */
  to = 0;
  /** Of the last `fault`. */
  fault: Fault = faults.badStart;
  readonly #bytesMax: number;
  #head: H;
  /** Bytes of a head that comes in pieces; empty while there are none. */
  #pieces: Buffer | undefined;
  #piecesTo = 0;
  /** Start of the line to parse next, and of what has not been searched for its end. */
  #lineFrom = 0;
  #searchedTo = 0;
  #isFirstLineDone = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#head = this.newHead(EMPTY);
  }

  /** The head of the last `done`. */
  get head(): H {
    return this.#head;
  }

  /** Some bytes of a head have come, and not all. */
  get isInHead(): boolean {
    return this.#pieces !== undefined;
  }

  protected abstract newHead(bytes: Buffer): H;
  /** Whether a head may start with this byte: what is clearly something else is refused without waiting for a line. */
  protected abstract isStart(byte: number): boolean;
  /** Parses the first line of `bytes[from, to)`. Returns where the next one starts, −1 for too few bytes, a fault. */
  protected abstract firstLine(head: H, from: number, to: number): number | Fault;
  /** Checks what only the whole head can tell. */
  protected abstract complete(head: H): Fault | undefined;

  /** Takes `bytes[from, to)`. After `done`, `to` says where the head ended; the rest belongs to what follows. */
  feed(bytes: Buffer, from: number, to: number): HeadProgress {
    if (this.#pieces !== undefined) return this.#feedPiece(bytes, from, to);
    this.#head = this.newHead(bytes);
    this.#isFirstLineDone = false;
    this.#lineFrom = from;
    if (from < to && !this.isStart(bytes[from] ?? 0)) return this.#refuse(faults.badStart);
    const limit = Math.min(to, from + this.#bytesMax);
    const progress = this.#lines(bytes, limit);
    if (progress !== "more") return progress;
    if (limit < to) return this.#refuse(faults.headTooLarge);
    if (from < to) this.#startPieces(bytes, from, to);
    return "more";
  }

  /** Forgets a head that has begun. */
  reset(): void {
    this.#pieces = undefined;
  }

  #startPieces(bytes: Buffer, from: number, to: number): void {
    const pieces = Buffer.allocUnsafeSlow(Math.max(PIECES_BYTES_MIN, 2 * (to - from)));
    bytes.copy(pieces, 0, from, to);
    this.#pieces = pieces;
    this.#piecesTo = to - from;
    // What has been parsed of it is parsed once more, as its places have moved; never more often than this.
    this.#head = this.newHead(pieces);
    this.#isFirstLineDone = false;
    this.#lineFrom = 0;
    this.#lines(pieces, this.#piecesTo);
    this.#searchedTo = this.#piecesTo;
  }

  #feedPiece(bytes: Buffer, from: number, to: number): HeadProgress {
    const before = this.#piecesTo;
    const taken = Math.min(to - from, this.#bytesMax - before);
    const pieces = this.#room(before + taken);
    bytes.copy(pieces, before, from, from + taken);
    this.#piecesTo = before + taken;
    // A line is parsed once its end is there, so many small pieces of one long line cost one pass over it.
    const hasLineEnd = pieces.subarray(this.#searchedTo, this.#piecesTo).indexOf(LF) >= 0;
    this.#searchedTo = this.#piecesTo;
    const progress = hasLineEnd ? this.#lines(pieces, this.#piecesTo) : "more";
    if (progress === "done") {
      this.to = from + (this.to - before);
      this.#pieces = undefined;
      return "done";
    }
    if (progress === "fault") {
      this.#pieces = undefined;
      return "fault";
    }
    return taken < to - from ? this.#refuse(faults.headTooLarge) : "more";
  }

  #room(bytes: number): Buffer {
    let pieces = this.#pieces ?? EMPTY;
    if (pieces.length < bytes) {
      const larger = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * pieces.length));
      pieces.copy(larger, 0, 0, this.#piecesTo);
      this.#head.bytes = larger;
      this.#pieces = larger;
      pieces = larger;
    }
    return pieces;
  }

  #refuse(fault: Fault): "fault" {
    this.fault = fault;
    this.#pieces = undefined;
    return "fault";
  }

  #lines(bytes: Buffer, to: number): HeadProgress {
    const head = this.#head;
    if (!this.#isFirstLineDone) {
      const next = this.firstLine(head, this.#lineFrom, to);
      if (typeof next !== "number") return this.#refuseLine(next, bytes, to);
      if (next < 0) return "more";
      this.#lineFrom = next;
      head.fieldsFrom = next;
      this.#isFirstLineDone = true;
    }
    return this.#fields(head, bytes, to);
  }

  #fields(head: H, bytes: Buffer, to: number): HeadProgress {
    for (;;) {
      const from = this.#lineFrom;
      if (from >= to) return "more";
      if (bytes[from] === CR) {
        if (from + 1 >= to) return "more";
        if (bytes[from + 1] !== LF) return this.#refuseLine(faults.bareCr, bytes, to);
        return this.#end(head, from);
      }
      let at = from;
      while (at < to && TOKEN[bytes[at] ?? 0] === 1) at++;
      if (at >= to) return "more";
      if (bytes[at] !== COLON || at === from)
        return this.#refuseLine(badName(bytes[at], at === from), bytes, to);
      const colonAt = at++;
      while (at < to && FIELD_VALUE[bytes[at] ?? 0] === 1) at++;
      if (at + 1 >= to && (at >= to || bytes[at] === CR)) return "more";
      if (bytes[at] !== CR)
        return this.#refuseLine(bytes[at] === LF ? faults.bareLf : faults.controlByte, bytes, to);
      if (bytes[at + 1] !== LF) return this.#refuseLine(faults.bareCr, bytes, to);
      const id: FieldId = fieldOf(bytes, from, colonAt);
      head.add(from, colonAt, id);
      if (!isTidy(bytes, colonAt, at)) head.isTidy = false;
      this.#lineFrom = at + 2;
    }
  }

  /** A line is judged only when its end is there, so that the verdict does not depend on where the bytes were cut. */
  #refuseLine(fault: Fault, bytes: Buffer, to: number): HeadProgress {
    const lineFeed = bytes.indexOf(LF, this.#lineFrom);
    return lineFeed < 0 || lineFeed >= to ? "more" : this.#refuse(fault);
  }

  #end(head: H, emptyLineAt: number): HeadProgress {
    head.fieldsTo = emptyLineAt;
    this.to = emptyLineAt + 2;
    const fault = this.complete(head);
    return fault === undefined ? "done" : this.#refuse(fault);
  }
}

const EMPTY = Buffer.alloc(0);

/** Exactly one space, then a value that neither starts nor ends in white space. */
function isTidy(bytes: Buffer, colonAt: number, lineTo: number): boolean {
  const first = bytes[colonAt + 2];
  const last = bytes[lineTo - 1];
  return (
    lineTo > colonAt + 2 &&
    bytes[colonAt + 1] === SP &&
    first !== SP &&
    first !== HTAB &&
    last !== SP &&
    last !== HTAB
  );
}

function badName(byte: number | undefined, isAtStart: boolean): Fault {
  if (byte === SP || byte === HTAB) return isAtStart ? faults.foldedField : faults.spaceBeforeColon;
  if (byte === LF) return faults.bareLf;
  return byte === CR ? faults.bareCr : faults.badFieldName;
}

/** A Content-Length, or −1 when the text is none: digits alone, no sign, no leading zero, no list. RFC 9110 §8.6. */
export function parseContentLength(text: string, digitsMax: number): number {
  if (text.length === 0 || text.length > digitsMax) return -1;
  if (text.length > 1 && text.charCodeAt(0) === 0x30) return -1; // some read it as octal
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** How many fields of the head have this id. */
export function countOf(head: FieldBlock, id: FieldId): number {
  if ((head.seen & (1 << id)) === 0) return 0;
  let found = 0;
  for (let index = 0; index < head.count; index++) if (head.id(index) === id) found++;
  return found;
}

/** Names that `Connection` lists beyond its own options, in lower case, without those it may not touch. E-23. */
export function connectionNames(options: readonly string[]): readonly string[] | undefined {
  const names = options.map((option) => option.toLowerCase()).filter((name) => !isProtected(name));
  return names.length === 0 ? undefined : names;
}

/** What a `Connection` field of the last hop may not strip: framing, routing, forwarding and the platform's own. */
function isProtected(name: string): boolean {
  return (
    name === "close" ||
    name === "host" ||
    name === "content-length" ||
    name === "date" ||
    name === "expect" ||
    name === "forwarded" ||
    name === "authorization" ||
    name.startsWith("x-forwarded-") ||
    name.startsWith("k-") ||
    name.startsWith("knative-")
  );
}

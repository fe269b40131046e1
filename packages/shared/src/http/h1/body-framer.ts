import { type Fault, faults } from "../fault.ts";
import { field } from "../field.ts";
import { FieldBlock } from "../field-block.ts";
import { CR, DQUOTE, EQUALS, FIELD_VALUE, HEX, LF, SEMICOLON, TOKEN } from "../grammar.ts";
import { CHUNK_EXTENSION_BYTES_MAX, CHUNK_SIZE_DIGITS_MAX, REQUEST_HEAD_BYTES_MAX } from "../limits.ts";
import { HeadParser } from "./head-parser.ts";
import type { BodyFraming } from "./request-head.ts";

/**
 * What `read` found. `data`: payload bytes at [`dataFrom`, `dataTo`). `more`: everything given is taken. `end`: the body
 * is over, what follows starts at `to`. `fault`: not a body we forward.
 */
export type BodyEvent = "data" | "more" | "end" | "fault";

type ChunkStep =
  | "size"
  | "extension"
  | "extension-name"
  | "extension-equals"
  | "extension-value"
  | "extension-quoted"
  | "extension-escaped"
  | "extension-end"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailers";

/**
 * Finds the end of one body after another; no socket. Payload is reported where it lies. Chunk extensions are checked
 * and dropped: they are the last hop's. Chunked coding: RFC 9112 §7.1; white space around `;` and `=` is refused.
 */
export class BodyFramer {
  dataFrom = 0;
  dataTo = 0;
  /** Of the last event: how far the given bytes have been read. */
  to = 0;
  fault: Fault = faults.badChunkSize;
  #framing: BodyFraming = "none";
  /** Bytes left of the body, or of the chunk. */
  #left = 0;
  #step: ChunkStep = "size";
  #digits = 0;
  #extensionBytes = 0;
  #trailerParser: TrailerParser | undefined;
  #trailers: FieldBlock | undefined;

  /** Starts the next body. `length` is that of `framing: "length"`. */
  start(framing: BodyFraming, length: number): void {
    this.#framing = framing;
    this.#left = framing === "chunked" ? 0 : length;
    this.#step = "size";
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailers = undefined;
  }

  get framing(): BodyFraming {
    return this.#framing;
  }

  /** Bytes still to come of a body framed by length; 0 for others. */
  get left(): number {
    return this.#framing === "length" ? this.#left : 0;
  }

  /** Trailer fields of the last chunked body, after its `end`; `undefined` when it had none. */
  get trailers(): FieldBlock | undefined {
    return this.#trailers;
  }

  /** Reads the next event of `bytes[from, to)`. Call again from `this.to` until it says `more`, `end` or `fault`. */
  read(bytes: Buffer, from: number, to: number): BodyEvent {
    switch (this.#framing) {
      case "none":
        this.to = from;
        return "end";
      case "length":
        return this.#readCounted(from, to, "end");
      case "until-close":
        if (from >= to) return this.#more(to);
        return this.#data(from, to);
      default:
        return this.#readChunked(bytes, from, to);
    }
  }

  /** The bytes have ended. Whether the body may end there. */
  get mayEnd(): boolean {
    return this.#framing === "until-close" || this.#framing === "none";
  }

  #readCounted(from: number, to: number, done: BodyEvent): BodyEvent {
    if (this.#left === 0) {
      this.to = from;
      return done;
    }
    if (from >= to) return this.#more(to);
    const dataTo = Math.min(to, from + this.#left);
    this.#left -= dataTo - from;
    return this.#data(from, dataTo);
  }

  #data(from: number, to: number): BodyEvent {
    this.dataFrom = from;
    this.dataTo = to;
    this.to = to;
    return "data";
  }

  #more(to: number): BodyEvent {
    this.to = to;
    return "more";
  }

  #refuse(fault: Fault): BodyEvent {
    this.fault = fault;
    return "fault";
  }

  #readChunked(bytes: Buffer, from: number, to: number): BodyEvent {
    let at = from;
    while (at < to) {
      const byte = bytes[at] ?? 0;
      switch (this.#step) {
        case "size": {
          const digit = HEX[byte] ?? 255;
          if (digit !== 255) {
            if (++this.#digits > CHUNK_SIZE_DIGITS_MAX) return this.#refuse(faults.badChunkSize);
            this.#left = this.#left * 16 + digit;
            at++;
            break;
          }
          if (this.#digits === 0) return this.#refuse(faults.badChunkSize);
          if (byte === CR) this.#step = "size-lf";
          else if (byte === SEMICOLON) this.#step = "extension";
          else return this.#refuse(byte === LF ? faults.bareLf : faults.badChunkSize);
          at++;
          break;
        }
        case "size-lf":
          if (byte !== LF) return this.#refuse(faults.bareCr);
          at++;
          if (this.#left === 0) {
            this.#step = "trailers";
            break;
          }
          this.#step = "data";
          break;
        case "data": {
          if (this.#left > 0) {
            const dataTo = Math.min(to, at + this.#left);
            this.#left -= dataTo - at;
            if (this.#left === 0) this.#step = "data-cr";
            return this.#data(at, dataTo);
          }
          this.#step = "data-cr";
          break;
        }
        case "data-cr":
          if (byte !== CR) return this.#refuse(faults.badChunkEnd);
          this.#step = "data-lf";
          at++;
          break;
        case "data-lf":
          if (byte !== LF) return this.#refuse(faults.badChunkEnd);
          this.#step = "size";
          this.#digits = 0;
          at++;
          break;
        case "trailers":
          return this.#readTrailers(bytes, at, to);
        default:
          if (++this.#extensionBytes > CHUNK_EXTENSION_BYTES_MAX) {
            return this.#refuse(faults.chunkExtensionsTooLong);
          }
          if (!this.#readExtension(byte)) {
            return this.#refuse(byte === LF ? faults.bareLf : faults.badChunkExtension);
          }
          at++;
          break;
      }
    }
    return this.#more(to);
  }

  /** One byte of `*( ";" token [ "=" ( token / quoted-string ) ] )`, or the CR behind it. */
  #readExtension(byte: number): boolean {
    switch (this.#step) {
      case "extension": // the first byte of a name
        this.#step = "extension-name";
        return TOKEN[byte] === 1;
      case "extension-name":
        if (byte === EQUALS) this.#step = "extension-equals";
        else if (TOKEN[byte] !== 1) return this.#endExtension(byte);
        return true;
      case "extension-equals": // the first byte of a value
        this.#step = byte === DQUOTE ? "extension-quoted" : "extension-value";
        return byte === DQUOTE || TOKEN[byte] === 1;
      case "extension-value":
        return TOKEN[byte] === 1 || this.#endExtension(byte);
      case "extension-quoted":
        if (byte === DQUOTE) this.#step = "extension-end";
        else if (byte === 0x5c) this.#step = "extension-escaped";
        return FIELD_VALUE[byte] === 1;
      case "extension-escaped":
        this.#step = "extension-quoted";
        return FIELD_VALUE[byte] === 1;
      default:
        return this.#endExtension(byte);
    }
  }

  #endExtension(byte: number): boolean {
    if (byte === SEMICOLON) this.#step = "extension";
    else if (byte === CR) this.#step = "size-lf";
    else return false;
    return true;
  }

  #readTrailers(bytes: Buffer, from: number, to: number): BodyEvent {
    let parser = this.#trailerParser;
    if (parser === undefined || !parser.isInHead) {
      if (from + 1 < to && bytes[from] === CR && bytes[from + 1] === LF) {
        this.to = from + 2; // by far the most common: no trailers
        return "end";
      }
      parser ??= new TrailerParser(REQUEST_HEAD_BYTES_MAX);
      this.#trailerParser = parser;
    }
    const progress = parser.feed(bytes, from, to);
    if (progress === "more") return this.#more(to);
    if (progress === "fault") return this.#refuse(parser.fault);
    this.to = parser.to;
    if (parser.head.count > 0) this.#trailers = parser.head;
    return "end";
  }
}

/** Some would take these for the framing of what follows; Node's parser, for whether and as what anything follows. */
const FRAMING_FIELDS =
  (1 << field.contentLength) |
  (1 << field.transferEncoding) |
  (1 << field.connection) |
  (1 << field.proxyConnection) |
  (1 << field.upgrade);

/** A trailer section: field lines alone. RFC 9112 §7.1.2. */
class TrailerParser extends HeadParser<FieldBlock> {
  protected newHead(bytes: Buffer): FieldBlock {
    return new FieldBlock(bytes);
  }

  protected isStart(): boolean {
    return true;
  }

  protected firstLine(_head: FieldBlock, from: number, _to: number): number {
    return from;
  }

  protected complete(trailers: FieldBlock): Fault | undefined {
    return (trailers.seen & FRAMING_FIELDS) === 0 ? undefined : faults.framingTrailer;
  }
}

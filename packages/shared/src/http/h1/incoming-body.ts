import type { Fault } from "../fault.ts";
import type { FieldBlock } from "../field-block.ts";
import { UNREAD_BODY_BYTES_MAX } from "../limits.ts";
import { BodyFramer } from "./body-framer.ts";
import type { ParsedRequestHead } from "./request-head.ts";

/** Who takes a body's payload. `false`: enough for now. */
export interface BodyTaker {
  requestData(bytes: Buffer, from: number, to: number): boolean;
}

/** The body of a client's request as it comes in: given on, or swallowed when nobody wants it. */
export class IncomingBody {
  /** Of the last `give` or `swallow`: how far the given bytes have been read. */
  to = 0;
  readonly #framer = new BodyFramer();
  #swallowedBytes = 0;

  start(head: ParsedRequestHead): void {
    this.#framer.start(head.framing, head.contentLength);
    this.#swallowedBytes = 0;
  }

  /** Bytes still to come, as far as its head has said. */
  get bytesLeft(): number {
    return this.#framer.left;
  }

  get trailers(): FieldBlock | undefined {
    return this.#framer.trailers;
  }

  get fault(): Fault {
    return this.#framer.fault;
  }

  /** Gives on the next payload of `bytes[from, to)`. `full`: the taker has enough for now. */
  give(taker: BodyTaker, bytes: Buffer, from: number, to: number): "more" | "full" | "end" | "fault" {
    const framer = this.#framer;
    const event = framer.read(bytes, from, to);
    this.to = event === "data" || event === "end" ? framer.to : to;
    if (event !== "data") return event;
    const isFull = !taker.requestData(bytes, framer.dataFrom, framer.dataTo);
    // The end of a counted body is known with its last byte, not with the next read.
    if (framer.framing === "length" && framer.left === 0) return "end";
    return isFull ? "full" : "more";
  }

  /** Forgets what there is of it in `bytes[from, to)`. */
  swallow(bytes: Buffer, from: number, to: number): "more" | "end" | "too-much" {
    const framer = this.#framer;
    const event = framer.read(bytes, from, to);
    this.to = framer.to;
    if (event === "end" || (framer.framing === "length" && framer.left === 0)) return "end";
    this.#swallowedBytes += framer.to - from;
    return event === "fault" || this.#swallowedBytes > UNREAD_BODY_BYTES_MAX ? "too-much" : "more";
  }
}

import { type Fault, faults } from "../fault.ts";
import { field } from "../field.ts";
import { CR, FIELD_VALUE, isText, LF, SP } from "../grammar.ts";
import { CONTENT_LENGTH_DIGITS_MAX, RESPONSE_HEAD_BYTES_MAX } from "../limits.ts";
import { connectionNames, countOf, HeadParser, parseContentLength } from "./head-parser.ts";
import { ParsedResponseHead } from "./response-head.ts";

const VERSION_PREFIX = Buffer.from("HTTP/1.", "latin1");
/** `HTTP/1.1 200`. */
const STATUS_BYTES = VERSION_PREFIX.length + 5;

/** Answers of one upstream connection, one after another. RFC 9112 §4, §6.3. */
export class ResponseParser extends HeadParser<ParsedResponseHead> {
  constructor(bytesMax: number = RESPONSE_HEAD_BYTES_MAX) {
    super(bytesMax);
  }

  protected newHead(bytes: Buffer): ParsedResponseHead {
    return new ParsedResponseHead(bytes);
  }

  protected isStart(byte: number): boolean {
    return byte === VERSION_PREFIX[0];
  }

  protected firstLine(head: ParsedResponseHead, from: number, to: number): number | Fault {
    const bytes = head.bytes;
    head.lineStart = from;
    const prefixTo = Math.min(to, from + VERSION_PREFIX.length);
    for (let at = from; at < prefixTo; at++) {
      if (bytes[at] !== VERSION_PREFIX[at - from]) return faults.badStatusLine;
    }
    if (to < from + STATUS_BYTES + 1) return -1;
    const minorAt = from + VERSION_PREFIX.length;
    if (bytes[minorAt] === 0x30) head.version = "1.0";
    else if (bytes[minorAt] !== 0x31) return faults.badStatusLine;
    if (bytes[minorAt + 1] !== SP) return faults.badStatusLine;
    for (let at = minorAt + 2; at < minorAt + 5; at++) {
      const digit = (bytes[at] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) return faults.badStatusLine;
      head.status = head.status * 10 + digit;
    }
    if (head.status < 100) return faults.badStatusLine;
    let at = minorAt + 5;
    // The space behind the code may be missing when there is no reason: not allowed, common, and read by all alike.
    if (bytes[at] === SP) at++;
    else if (bytes[at] !== CR) return bytes[at] === LF ? faults.bareLf : faults.badStatusLine;
    head.reasonFrom = at;
    while (at < to && FIELD_VALUE[bytes[at] ?? 0] === 1) at++;
    if (at + 1 >= to && (at >= to || bytes[at] === CR)) return restart(head);
    if (bytes[at] !== CR) return bytes[at] === LF ? faults.bareLf : faults.badStatusLine;
    if (bytes[at + 1] !== LF) return faults.bareCr;
    head.reasonTo = at;
    return at + 2;
  }

  protected complete(head: ParsedResponseHead): Fault | undefined {
    head.isLast = head.version === "1.0";
    if ((head.seen & (1 << field.connection)) !== 0) readConnection(head);
    const hasLength = (head.seen & (1 << field.contentLength)) !== 0;
    if ((head.seen & (1 << field.transferEncoding)) !== 0) {
      if (head.version === "1.0") return faults.encodingBefore11;
      if (hasLength) return faults.lengthAndEncoding;
      if (countOf(head, field.transferEncoding) > 1) return faults.severalEncodings;
      const index = head.indexOf(field.transferEncoding);
      if (!isText(head.bytes, head.valueFrom(index), head.valueTo(index), "chunked")) {
        return faults.unsupportedEncoding;
      }
      head.isChunked = true;
      return undefined;
    }
    if (!hasLength) return undefined;
    if (countOf(head, field.contentLength) > 1) return faults.severalLengths;
    const text = head.value(head.indexOf(field.contentLength));
    head.contentLength = parseContentLength(text, CONTENT_LENGTH_DIGITS_MAX);
    return head.contentLength < 0 ? faults.badLength : undefined;
  }
}

/** The line is not whole: it is parsed again from its start when more has come. */
function restart(head: ParsedResponseHead): number {
  head.status = 0;
  return -1;
}

function readConnection(head: ParsedResponseHead): void {
  const index = head.indexOf(field.connection);
  const from = head.valueFrom(index);
  const to = head.valueTo(index);
  if (countOf(head, field.connection) === 1) {
    if (isText(head.bytes, from, to, "keep-alive")) {
      head.isLast = false;
      return;
    }
    if (isText(head.bytes, from, to, "close")) {
      head.isLast = true;
      return;
    }
  }
  const options = head.members(field.connection).map((option) => option.toLowerCase());
  if (options.includes("close")) head.isLast = true;
  else if (options.includes("keep-alive")) head.isLast = false;
  head.connectionNames = connectionNames(
    options.filter((option) => option !== "close" && option !== "keep-alive" && option !== "upgrade"),
  );
}

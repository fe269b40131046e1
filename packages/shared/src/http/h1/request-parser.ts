import { type Fault, faults } from "../fault.ts";
import { field } from "../field.ts";
import { AUTHORITY, CR, HEX, isText, LF, SP, TARGET, TOKEN } from "../grammar.ts";
import { CONTENT_LENGTH_DIGITS_MAX, LEADING_EMPTY_LINES_MAX, REQUEST_HEAD_BYTES_MAX } from "../limits.ts";
import { connectionNames, countOf, HeadParser, parseContentLength } from "./head-parser.ts";
import { ParsedRequestHead } from "./request-head.ts";

/** `HTTP/1.1`, without its last digit. */
const VERSION_PREFIX = Buffer.from("HTTP/1.", "latin1");
const VERSION_BYTES = VERSION_PREFIX.length + 1;
const SLASH = 0x2f;
const STAR = 0x2a;

/** Requests of one connection, one after another. RFC 9112 §3, §6. */
export class RequestParser extends HeadParser<ParsedRequestHead> {
  constructor(bytesMax: number = REQUEST_HEAD_BYTES_MAX) {
    super(bytesMax);
  }

  protected newHead(bytes: Buffer): ParsedRequestHead {
    return new ParsedRequestHead(bytes);
  }

  protected isStart(byte: number): boolean {
    return TOKEN[byte] === 1 || byte === CR;
  }

  protected firstLine(head: ParsedRequestHead, from: number, to: number): number | Fault {
    const bytes = head.bytes;
    let at = from;
    for (let empty = 0; empty < LEADING_EMPTY_LINES_MAX && bytes[at] === CR && at < to; empty++) {
      if (at + 1 >= to) return -1;
      if (bytes[at + 1] !== LF) return faults.bareCr;
      at += 2;
    }
    head.lineStart = at;
    while (at < to && TOKEN[bytes[at] ?? 0] === 1) at++;
    if (at >= to) return -1;
    if (bytes[at] !== SP || at === head.lineStart) return bytes[at] === LF ? faults.bareLf : faults.badMethod;
    head.methodTo = at++;
    head.targetFrom = at;
    let seen = 0;
    for (; at < to; at++) {
      const kind = TARGET[bytes[at] ?? 0] ?? 0;
      if (kind === 0) break;
      seen |= kind;
    }
    if (at >= to) return -1;
    if (bytes[at] !== SP || at === head.targetFrom)
      return bytes[at] === LF ? faults.bareLf : faults.badTarget;
    head.targetTo = at++;
    if (seen > 1) head.hasRawTarget = true;
    if (to < at + VERSION_BYTES + 2) {
      // Only a whole line is judged, so that the verdict does not depend on where the bytes were cut.
      const lineFeed = bytes.indexOf(LF, at);
      return lineFeed < 0 || lineFeed >= to ? -1 : versionFault(bytes, at, lineFeed);
    }
    for (let i = 0; i < VERSION_PREFIX.length; i++) {
      if (bytes[at + i] !== VERSION_PREFIX[i]) return lineFault(bytes, at, to);
    }
    const minor = bytes[at + VERSION_PREFIX.length];
    if (minor === 0x30) head.version = "1.0";
    else if (minor !== 0x31) return lineFault(bytes, at, to);
    at += VERSION_BYTES;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return lineFault(bytes, at - VERSION_BYTES, to);
    return at + 2;
  }

  protected complete(head: ParsedRequestHead): Fault | undefined {
    const fault = targetFault(head) ?? hostFault(head) ?? framingFault(head);
    if (fault !== undefined) return fault;
    if (head.version === "1.0") head.isLast = true;
    if ((head.seen & CONNECTION_FIELDS) !== 0) readConnection(head);
    return (head.seen & (1 << field.expect)) === 0 ? undefined : readExpect(head);
  }
}

const CONNECTION_FIELDS = (1 << field.connection) | (1 << field.te) | (1 << field.upgrade);

/** The fault of a line that starts well and then does not; −1 while its end is not there. */
function lineFault(bytes: Buffer, versionFrom: number, to: number): number | Fault {
  const lineFeed = bytes.indexOf(LF, versionFrom);
  return lineFeed < 0 || lineFeed >= to ? -1 : versionFault(bytes, versionFrom, lineFeed);
}

function versionFault(bytes: Buffer, from: number, lineFeed: number): Fault {
  const hasReturn = bytes[lineFeed - 1] === CR;
  const text = bytes.toString("latin1", from, hasReturn ? lineFeed - 1 : lineFeed);
  if (!hasReturn && /^HTTP\/\d\.\d$/.test(text)) return faults.bareLf;
  if (/^HTTP\/\d\.\d$/.test(text)) return faults.unsupportedVersion;
  return text.includes("\r") ? faults.bareCr : faults.badVersion;
}

/** Origin form, absolute form of http(s), or `*` with OPTIONS. RFC 9112 §3.2. */
function targetFault(head: ParsedRequestHead): Fault | undefined {
  const { bytes, targetFrom, targetTo } = head;
  if (isText(bytes, head.lineStart, head.methodTo, "connect")) return faults.connectMethod;
  if (bytes[targetFrom] === SLASH) return undefined;
  if (bytes[targetFrom] === STAR && targetTo === targetFrom + 1) {
    return head.method === "OPTIONS" ? undefined : faults.badTarget;
  }
  const text = bytes.toString("latin1", targetFrom, targetTo);
  const absolute = /^https?:\/\/([^/?]+)/i.exec(text);
  const authority = absolute?.[1];
  if (absolute === null || authority === undefined || !isAuthority(authority)) return faults.badTarget;
  head.absoluteHost = authority;
  head.targetFrom = targetFrom + absolute[0].length;
  return undefined;
}

function hostFault(head: ParsedRequestHead): Fault | undefined {
  const count = countOf(head, field.host);
  if (count > 1) return faults.severalHosts;
  if (count === 0) return head.version === "1.0" ? undefined : faults.missingHost;
  const index = head.indexOf(field.host);
  const to = head.valueTo(index);
  let hasOddByte = false;
  for (let at = head.valueFrom(index); at < to; at++) {
    const byte = head.bytes[at] ?? 0;
    if (AUTHORITY[byte] === 0) return faults.badHost;
    if (byte === 0x5b || byte === 0x5d || byte === 0x25 || byte === 0x3a) hasOddByte = true; // [ ] % :
  }
  return hasOddByte && !isAuthority(head.value(index)) ? faults.badHost : undefined;
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`. A host that only some would read the same way is refused. */
function isAuthority(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff || AUTHORITY[code] === 0) return false;
    if (code !== 0x25) continue;
    if (HEX[text.charCodeAt(i + 1) & 0xff] === 255 || HEX[text.charCodeAt(i + 2) & 0xff] === 255)
      return false;
  }
  return /^(?:\[[0-9A-Fa-f:.]+(?:%25[\w.~-]+)?\]|[^[\]:]+)(?::\d{0,5})?$/.test(text);
}

function framingFault(head: ParsedRequestHead): Fault | undefined {
  const hasLength = (head.seen & (1 << field.contentLength)) !== 0;
  if ((head.seen & (1 << field.transferEncoding)) !== 0) {
    if (head.version === "1.0") return faults.encodingBefore11;
    if (hasLength) return faults.lengthAndEncoding;
    if (countOf(head, field.transferEncoding) > 1) return faults.severalEncodings;
    const index = head.indexOf(field.transferEncoding);
    const coding = head.value(index).toLowerCase();
    const hasSpaceBehind = head.valueTo(index) !== head.lineFrom(index + 1) - 2; // llhttp knows no such coding
    if (coding !== "chunked" || hasSpaceBehind) {
      return /,[ \t]*chunked$/.test(coding) ? faults.unsupportedEncoding : faults.notChunkedLast;
    }
    head.framing = "chunked";
    return undefined;
  }
  if (!hasLength) return undefined;
  if (countOf(head, field.contentLength) > 1) return faults.severalLengths;
  const text = head.value(head.indexOf(field.contentLength));
  const length = parseContentLength(text, CONTENT_LENGTH_DIGITS_MAX);
  if (length < 0) return faults.badLength;
  head.contentLength = length;
  if (length > 0) head.framing = "length";
  return undefined;
}

function readConnection(head: ParsedRequestHead): void {
  let asksUpgrade = false;
  if ((head.seen & (1 << field.connection)) !== 0) {
    const index = head.indexOf(field.connection);
    const from = head.valueFrom(index);
    const to = head.valueTo(index);
    if (countOf(head, field.connection) === 1 && isText(head.bytes, from, to, "keep-alive")) {
      head.isLast = false;
    } else {
      const options = head.members(field.connection);
      const has = (option: string): boolean => options.some((given) => given.toLowerCase() === option);
      if (has("close")) head.isLast = true;
      else if (has("keep-alive")) head.isLast = false;
      asksUpgrade = has("upgrade");
      head.connectionNames = connectionNames(
        options.filter((option) => !/^(?:close|keep-alive|upgrade|te)$/i.test(option)),
      );
    }
  }
  if ((head.seen & (1 << field.te)) !== 0) {
    head.takesTrailers = head.members(field.te).some((member) => member.toLowerCase() === "trailers");
  }
  // A body before the switch would have to end first: such an offer is ignored, as RFC 9110 §7.8 allows. So is h2c
  // and one beside a version that cannot carry it.
  const canUpgrade = asksUpgrade && head.version === "1.1" && !head.hasBody;
  if (canUpgrade && (head.seen & (1 << field.upgrade)) !== 0) {
    const protocols = head.members(field.upgrade).filter((protocol) => protocol.toLowerCase() !== "h2c");
    if (protocols.length > 0) head.upgrade = protocols.join(", ");
  }
}

function readExpect(head: ParsedRequestHead): Fault | undefined {
  if (head.version === "1.0") return undefined; // to be ignored: RFC 9110 §10.1.1
  const isContinue = head.value(head.indexOf(field.expect)).toLowerCase() === "100-continue";
  if (countOf(head, field.expect) > 1 || !isContinue) return faults.badExpectation;
  head.expectsContinue = head.hasBody;
  return undefined;
}

import { field, HOP_BY_HOP, NOT_IN_TRAILERS } from "../field.ts";
import type { FieldBlock } from "../field-block.ts";
import type { HeaderEdits } from "../header-edits.ts";
import { reasonPhrase } from "./reason-phrase.ts";
import type { ParsedRequestHead } from "./request-head.ts";
import type { ParsedResponseHead } from "./response-head.ts";

/** What the hop itself says in a request head. */
export interface RequestHop {
  /** Appended to `X-Forwarded-For`; `undefined` leaves that field as it came. */
  readonly forwardedFor: string | undefined;
  /** The authority when the request has none (HTTP/1.0). */
  readonly authority: string;
}

/**
 * The head to send upstream: HTTP/1.1, hop-by-hop fields gone, edits applied. Lines nobody changes are copied
 * in runs; a line with odd white space is written anew.
 */
export function requestHeadText(
  head: ParsedRequestHead,
  edits: HeaderEdits | undefined,
  hop: RequestHop,
): string {
  const isChunked = head.framing === "chunked";
  let dropped = HOP_BY_HOP;
  if (!isChunked) dropped |= 1 << field.trailer;
  if (head.version === "1.0") dropped |= 1 << field.expect;
  if (hop.forwardedFor !== undefined) dropped |= 1 << field.forwardedFor;
  const host = edits?.value("host") ?? head.absoluteHost;
  if (host !== undefined) dropped |= 1 << field.host;
  let text = head.isPlainLine ? "" : `${head.method} ${head.target} HTTP/1.1\r\n`;
  text = copyFields(
    text,
    head,
    head.isPlainLine ? head.lineStart : head.fieldsFrom,
    dropped,
    edits,
    head.connectionNames,
  );
  if (host !== undefined) text += `Host: ${host}\r\n`;
  else if ((head.seen & (1 << field.host)) === 0) text += `Host: ${hop.authority}\r\n`;
  if (isChunked) text += "Transfer-Encoding: chunked\r\n";
  if ((head.seen & UPGRADE_FIELDS) !== 0) {
    if (head.takesTrailers) text += "Te: trailers\r\n";
    if (head.upgrade !== undefined) text += `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  }
  if (hop.forwardedFor !== undefined)
    text += `X-Forwarded-For: ${forwardedFor(head, edits, hop.forwardedFor)}\r\n`;
  if (edits !== undefined)
    text += edits.lines(hop.forwardedFor === undefined ? HOST : HOST_AND_FORWARDED_FOR);
  return `${text}\r\n`;
}

const UPGRADE_FIELDS = (1 << field.te) | (1 << field.upgrade);
const HOST = ["host"];
const HOST_AND_FORWARDED_FOR = ["host", "x-forwarded-for"];

/** How the client learns where the body of an answer ends. */
export type ClientFraming = "none" | "length" | "chunked" | "until-close";

/** What the hop itself says in a response head. */
export interface ResponseHop {
  readonly framing: ClientFraming;
  readonly isLast: boolean;
  /** The client speaks HTTP/1.0 and asked to keep the connection. */
  readonly saysKeepAlive: boolean;
  /** `Date`, should the upstream have sent none. Q-37. */
  readonly date: string;
  /** What the answer switches to, with status 101. */
  readonly upgrade: string | undefined;
}

/** The head to send to the client, for interim and final answers. */
export function responseHeadText(
  head: ParsedResponseHead,
  edits: HeaderEdits | undefined,
  hop: ResponseHop,
): string {
  let dropped = HOP_BY_HOP;
  if (hop.framing !== "chunked") dropped |= 1 << field.trailer;
  if (head.isChunked || head.status < 200 || head.status === 204) dropped |= 1 << field.contentLength;
  const isPlainLine = head.version === "1.1" && head.reasonTo > head.reasonFrom;
  let text = isPlainLine ? "" : `HTTP/1.1 ${head.status} ${head.reason}\r\n`;
  text = copyFields(
    text,
    head,
    isPlainLine ? head.lineStart : head.fieldsFrom,
    dropped,
    edits,
    head.connectionNames,
  );
  if (hop.framing === "chunked") text += "Transfer-Encoding: chunked\r\n";
  if (hop.upgrade !== undefined) text += `Connection: Upgrade\r\nUpgrade: ${hop.upgrade}\r\n`;
  else if (hop.isLast) text += "Connection: close\r\n";
  else if (hop.saysKeepAlive) text += "Connection: keep-alive\r\n";
  if ((head.seen & (1 << field.date)) === 0 && head.status >= 200) text += `Date: ${hop.date}\r\n`;
  if (edits !== undefined) text += edits.lines(NOTHING);
  return `${text}\r\n`;
}

const NOTHING: readonly string[] = [];

/** Head and body of an answer of our own. */
export function localResponseText(
  answer: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Uint8Array;
  },
  hop: Pick<ResponseHop, "isLast" | "saysKeepAlive" | "date"> & { readonly hasBody: boolean },
  edits: HeaderEdits | undefined,
): string {
  const body = answer.body === undefined ? "" : Buffer.from(answer.body).toString("latin1");
  let text = `HTTP/1.1 ${answer.status} ${reasonPhrase(answer.status)}\r\n`;
  for (const name in answer.headers) {
    if (edits?.replaces(name) !== true) text += `${name}: ${answer.headers[name] ?? ""}\r\n`;
  }
  if (answer.status !== 204 && answer.status !== 304) text += `Content-Length: ${body.length}\r\n`;
  if (hop.isLast) text += "Connection: close\r\n";
  else if (hop.saysKeepAlive) text += "Connection: keep-alive\r\n";
  text += `Date: ${hop.date}\r\n`;
  if (edits !== undefined) text += edits.lines(NOTHING);
  const isBodyless = !hop.hasBody || answer.status === 204 || answer.status === 304;
  return isBodyless ? `${text}\r\n` : `${text}\r\n${body}`;
}

/** The last chunk and its trailers, without those that may not travel there. */
export function lastChunkText(trailers: FieldBlock | undefined): string {
  let text = "0\r\n";
  if (trailers !== undefined) {
    for (let index = 0; index < trailers.count; index++) {
      if ((NOT_IN_TRAILERS & (1 << trailers.id(index))) !== 0) continue;
      text += `${trailers.name(index)}: ${trailers.value(index)}\r\n`;
    }
  }
  return `${text}\r\n`;
}

/** `text` and the lines of the head from `runFrom` on, without the dropped ones. */
function copyFields(
  text: string,
  head: FieldBlock,
  runFrom: number,
  dropped: number,
  edits: HeaderEdits | undefined,
  connectionNames: readonly string[] | undefined,
): string {
  const { bytes } = head;
  const mayCopyAll = head.isTidy && edits === undefined && connectionNames === undefined;
  if (mayCopyAll && (head.seen & dropped) === 0)
    return text + bytes.toString("latin1", runFrom, head.fieldsTo);
  let out = text;
  let from = runFrom;
  const count = head.count;
  for (let index = 0; index < count; index++) {
    const isDropped =
      (dropped & (1 << head.id(index)) & ~1) !== 0 ||
      edits?.drops(head, index) === true ||
      isListed(head, index, connectionNames);
    if (!isDropped && head.isTidy) continue;
    const lineFrom = head.lineFrom(index);
    if (from < lineFrom) out += bytes.toString("latin1", from, lineFrom);
    from = head.lineFrom(index + 1);
    if (!isDropped) out += `${head.name(index)}: ${head.value(index)}\r\n`;
  }
  return from < head.fieldsTo ? out + bytes.toString("latin1", from, head.fieldsTo) : out;
}

function isListed(head: FieldBlock, index: number, names: readonly string[] | undefined): boolean {
  if (names === undefined) return false;
  for (const name of names) if (head.isNamed(index, name)) return true;
  return false;
}

function forwardedFor(head: ParsedRequestHead, edits: HeaderEdits | undefined, peerIp: string): string {
  const isReplaced = edits?.replaces("x-forwarded-for") === true;
  const before = isReplaced ? edits?.value("x-forwarded-for") : joined(head);
  return before === undefined || before === "" ? peerIp : `${before}, ${peerIp}`;
}

function joined(head: ParsedRequestHead): string | undefined {
  return (head.seen & (1 << field.forwardedFor)) === 0 ? undefined : head.all("x-forwarded-for").join(", ");
}

import type { OutgoingHttpHeaders } from "node:http";
import { COLON, isSameName } from "../grammar.ts";
import type { HeaderEdits } from "../header-edits.ts";
import type { Http2RequestHead } from "./request-head.ts";

/** Fields of one connection, which HTTP/2 does not carry; a peer that sends them is not to make us send them. RFC 9113 §8.2.2. */
const NOT_IN_HTTP2 = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "proxy-authenticate",
  "proxy-authorization",
  "host",
]);

/**
 * The header list of a request to the upstream, names and values in turn: edits applied, the client added to
 * `X-Forwarded-For`. Repeated fields stay repeated, in order.
 */
export function requestHeaders(
  head: Http2RequestHead,
  edits: HeaderEdits | undefined,
  hop: { readonly forwardedFor: string | undefined; readonly scheme: "http" | "https" },
): string[] {
  const authority = edits?.value("host") ?? head.host;
  const out = [":method", head.method, ":scheme", hop.scheme, ":authority", authority, ":path", head.target];
  const { raw } = head;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (name.charCodeAt(0) === COLON || NOT_IN_HTTP2.has(name) || edits?.replaces(name) === true) continue;
    if (hop.forwardedFor !== undefined && name === "x-forwarded-for") continue;
    out.push(name, raw[at + 1] ?? "");
  }
  if (edits !== undefined) {
    for (const [name, value] of edits.added()) {
      const isSpecial = isSameName(name, "host") || (hop.forwardedFor !== undefined && isForwardedFor(name));
      if (!isSpecial) out.push(name.toLowerCase(), value);
    }
  }
  if (hop.forwardedFor !== undefined)
    out.push("x-forwarded-for", forwardedFor(head, edits, hop.forwardedFor));
  return out;
}

/** The header list of an answer to the client. `raw` is what came, both names and values in turn. */
export function responseHeaders(raw: readonly string[], edits: HeaderEdits | undefined): string[] {
  const out: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    const isSent = name.charCodeAt(0) === COLON ? name === ":status" : !NOT_IN_HTTP2.has(name);
    if (isSent && edits?.replaces(name) !== true) out.push(name, raw[at + 1] ?? "");
  }
  if (edits !== undefined) for (const [name, value] of edits.added()) out.push(name.toLowerCase(), value);
  return out;
}

/** The status among the fields of an answer; it comes first. RFC 9113 §8.3. */
export function statusOf(raw: readonly string[]): number {
  return raw[0] === ":status" ? Number(raw[1]) : 0;
}

/** Whether it is the head of a gRPC answer. */
export function isGrpc(raw: readonly string[]): boolean {
  const at = raw.indexOf("content-type");
  return at >= 0 && raw[at + 1]?.startsWith("application/grpc") === true;
}

/** Trailers as they are sent on. */
export function trailerHeaders(raw: readonly string[]): OutgoingHttpHeaders {
  const sent: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (name.charCodeAt(0) !== COLON && !NOT_IN_HTTP2.has(name)) sent.push(name, raw[at + 1] ?? "");
  }
  return headersOf(sent);
}

/** A list for those calls of Node's that take none. Without a prototype: a field may be called anything. */
export function headersOf(list: readonly string[]): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = Object.create(null);
  for (let at = 0; at < list.length; at += 2) {
    const name = list[at] ?? "";
    const value = list[at + 1] ?? "";
    const before = out[name];
    if (before === undefined) out[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else out[name] = [String(before), value];
  }
  return out;
}

function isForwardedFor(name: string): boolean {
  return isSameName(name, "x-forwarded-for");
}

function forwardedFor(head: Http2RequestHead, edits: HeaderEdits | undefined, peerIp: string): string {
  const isReplaced = edits?.replaces("x-forwarded-for") === true;
  const before = isReplaced ? edits?.value("x-forwarded-for") : head.all("x-forwarded-for").join(", ");
  return before === undefined || before === "" ? peerIp : `${before}, ${peerIp}`;
}

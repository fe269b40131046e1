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

/** The header list of a request to the upstream: edits applied, the client added to `X-Forwarded-For`. */
export function requestHeaders(
  head: Http2RequestHead,
  edits: HeaderEdits | undefined,
  hop: { readonly forwardedFor: string | undefined; readonly scheme: "http" | "https" },
): OutgoingHttpHeaders {
  const out = newHeaders();
  out[":method"] = head.method;
  out[":scheme"] = hop.scheme;
  out[":authority"] = edits?.value("host") ?? head.host;
  out[":path"] = head.target;
  for (let at = 0; at < head.raw.length; at += 2) {
    const name = head.raw[at] ?? "";
    if (name.charCodeAt(0) === COLON || NOT_IN_HTTP2.has(name) || edits?.replaces(name) === true) continue;
    if (hop.forwardedFor !== undefined && name === "x-forwarded-for") continue;
    append(out, name, head.raw[at + 1] ?? "");
  }
  if (edits !== undefined) {
    for (const [name, value] of edits.added()) {
      const isSpecial = isSameName(name, "host") || (hop.forwardedFor !== undefined && isForwardedFor(name));
      if (!isSpecial) append(out, name.toLowerCase(), value);
    }
  }
  if (hop.forwardedFor !== undefined) out["x-forwarded-for"] = forwardedFor(head, edits, hop.forwardedFor);
  return out;
}

/** The header list of an answer to the client. `raw` is what came, names and values in turn. */
export function responseHeaders(raw: readonly string[], edits: HeaderEdits | undefined): OutgoingHttpHeaders {
  const out = newHeaders();
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (name === ":status") out[name] = Number(raw[at + 1]);
    else if (name.charCodeAt(0) !== COLON && !NOT_IN_HTTP2.has(name)) append(out, name, raw[at + 1] ?? "");
  }
  if (edits !== undefined) for (const [name, value] of edits.added()) append(out, name.toLowerCase(), value);
  return out;
}

/** A trailer list as it is sent on. */
export function trailerHeaders(raw: readonly string[]): OutgoingHttpHeaders {
  const out = newHeaders();
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (name.charCodeAt(0) !== COLON && !NOT_IN_HTTP2.has(name)) append(out, name, raw[at + 1] ?? "");
  }
  return out;
}

/** Header lists have no prototype: a field may be called anything. */
function newHeaders(): OutgoingHttpHeaders {
  return Object.create(null);
}

/** Repeated fields stay repeated, in order. Q-30. */
function append(out: OutgoingHttpHeaders, name: string, value: string): void {
  const before = out[name];
  if (before === undefined) out[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else out[name] = [String(before), value];
}

function isForwardedFor(name: string): boolean {
  return isSameName(name, "x-forwarded-for");
}

function forwardedFor(head: Http2RequestHead, edits: HeaderEdits | undefined, peerIp: string): string {
  const isReplaced = edits?.replaces("x-forwarded-for") === true;
  const before = isReplaced ? edits?.value("x-forwarded-for") : head.all("x-forwarded-for").join(", ");
  return before === undefined || before === "" ? peerIp : `${before}, ${peerIp}`;
}

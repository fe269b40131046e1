import { isText } from "./grammar.ts";

/** Fields the engine itself acts on, as small numbers that fit a bit mask. `other` is everything else. */
export const field = {
  other: 0,
  connection: 1,
  contentLength: 2,
  transferEncoding: 3,
  host: 4,
  expect: 5,
  upgrade: 6,
  te: 7,
  trailer: 8,
  keepAlive: 9,
  proxyConnection: 10,
  proxyAuthenticate: 11,
  proxyAuthorization: 12,
  forwardedFor: 13,
  http2Settings: 14,
  date: 15,
} as const;

/** One of `field`. */
export type FieldId = (typeof field)[keyof typeof field];

/** Which field the name in `bytes[from, to)` is. */
export function fieldOf(bytes: Uint8Array, from: number, to: number): FieldId {
  switch (to - from) {
    case 2:
      return isText(bytes, from, to, "te") ? field.te : field.other;
    case 4:
      if (isText(bytes, from, to, "host")) return field.host;
      return isText(bytes, from, to, "date") ? field.date : field.other;
    case 6:
      return isText(bytes, from, to, "expect") ? field.expect : field.other;
    case 7:
      if (isText(bytes, from, to, "upgrade")) return field.upgrade;
      return isText(bytes, from, to, "trailer") ? field.trailer : field.other;
    case 10:
      if (isText(bytes, from, to, "connection")) return field.connection;
      return isText(bytes, from, to, "keep-alive") ? field.keepAlive : field.other;
    case 14:
      if (isText(bytes, from, to, "content-length")) return field.contentLength;
      return isText(bytes, from, to, "http2-settings") ? field.http2Settings : field.other;
    case 15:
      return isText(bytes, from, to, "x-forwarded-for") ? field.forwardedFor : field.other;
    case 16:
      return isText(bytes, from, to, "proxy-connection") ? field.proxyConnection : field.other;
    case 17:
      return isText(bytes, from, to, "transfer-encoding") ? field.transferEncoding : field.other;
    case 18:
      return isText(bytes, from, to, "proxy-authenticate") ? field.proxyAuthenticate : field.other;
    case 19:
      return isText(bytes, from, to, "proxy-authorization") ? field.proxyAuthorization : field.other;
    default:
      return field.other;
  }
}

/** Hop-by-hop fields that never travel on, in either direction. Q-29; `Trailer` goes only when the body is not chunked. */
export const HOP_BY_HOP =
  (1 << field.connection) |
  (1 << field.transferEncoding) |
  (1 << field.upgrade) |
  (1 << field.te) |
  (1 << field.keepAlive) |
  (1 << field.proxyConnection) |
  (1 << field.proxyAuthenticate) |
  (1 << field.proxyAuthorization) |
  (1 << field.http2Settings);

/** Fields a trailer section may not carry on: framing, routing and connection. RFC 9110 §6.5.1. */
export const NOT_IN_TRAILERS =
  HOP_BY_HOP |
  (1 << field.contentLength) |
  (1 << field.host) |
  (1 << field.expect) |
  (1 << field.trailer) |
  (1 << field.forwardedFor);

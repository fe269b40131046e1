/** Bounds of the HTTP engine, in bytes and milliseconds. Q §13 and design §6. */

/** Request line and fields together, and each trailer section. */
export const REQUEST_HEAD_BYTES_MAX = 1_048_576;
/** Status line and fields of an upstream's answer. */
export const RESPONSE_HEAD_BYTES_MAX = 10_485_760;
/** Empty lines before a request line. RFC 9112 §2.2 asks to ignore at least one; some old clients send one after a POST. */
export const LEADING_EMPTY_LINES_MAX = 2;
/** All chunk extensions of one body. They mean nothing to us and are dropped; the bound is that of Node's parser. */
export const CHUNK_EXTENSION_BYTES_MAX = 16_384;
/** Digits of one chunk size: 2^52 − 1 at most, so that lengths stay exact in a double. */
export const CHUNK_SIZE_DIGITS_MAX = 13;
/** Digits of a Content-Length, for the same reason. */
export const CONTENT_LENGTH_DIGITS_MAX = 15;

/** How long a head may take: from accept for the first one, from its first byte for the others. Q-65. */
export const HEAD_MS_MAX = 60_000;
/** What is read ahead of a held exchange, so that its client's leaving is noticed. */
export const READ_AHEAD_BYTES_MAX = 65_536;
/** The same over all connections of one server; beyond it a held exchange's socket is paused at once. */
export const READ_AHEAD_TOTAL_BYTES_MAX = 67_108_864;
/** A request body nobody reads is swallowed up to this, so that the connection can be kept. Q §13. */
export const UNREAD_BODY_BYTES_MAX = 262_144;
/** After our last byte, how long we wait for the peer to close before we do: a reset would eat the answer. */
export const LINGER_MS = 2_000;
/** `Expect: 100-continue`: how long the upstream may think before the body is sent anyway. Q-72. */
export const CONTINUE_MS = 1_000;
/** A tunnel whose client has sent its end: how long the upstream may go on. Q-85. */
export const TUNNEL_LINGER_MS = 10_000;
/** Up to this, bytes are joined to the text before them and leave in one write. Larger ones are written as they are. */
export const JOINED_WRITE_BYTES_MAX = 4_096;
/** Kernel keep-alive probes of TCP, both directions. Q §13. */
export const TCP_KEEP_ALIVE_MS = 15_000;

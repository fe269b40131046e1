import type { ErrorCode } from "../errors/proxy-error.ts";

/** Why bytes are not a message we forward. One constant per reason, so that refusing costs nothing. */
export interface Fault {
  readonly code: ErrorCode;
  readonly reason: string;
}

function fault(code: ErrorCode, reason: string): Fault {
  return { code, reason };
}

/** Every refusal of the HTTP/1.1 core. RFC 9112 unless said otherwise. */
export const faults = {
  bareLf: fault("bad-request", "bare LF"), // §2.2
  bareCr: fault("bad-request", "bare CR"), // §2.2
  controlByte: fault("bad-request", "control byte in a field"), // RFC 9110 §5.5
  foldedField: fault("bad-request", "folded field line"), // §5.2
  spaceBeforeColon: fault("bad-request", "white space before the colon"), // §5.1
  badFieldName: fault("bad-request", "invalid field name"), // §5.1
  headTooLarge: fault("headers-too-large", "request header fields too large"), // RFC 6585 §5
  badStart: fault("bad-request", "not an HTTP message"), // §2.1
  badMethod: fault("bad-request", "invalid method"), // §3.1
  badTarget: fault("bad-request", "invalid request target"), // §3.2
  badVersion: fault("bad-request", "malformed HTTP version"), // §2.3
  unsupportedVersion: fault("unsupported-version", "unsupported HTTP version"), // RFC 9110 §15.6.6
  connectMethod: fault("upstream-malformed", "client sent unsupported CONNECT request"), // Q §3.5
  missingHost: fault("bad-request", "missing required Host header"), // §3.2
  severalHosts: fault("bad-request", "several Host headers"), // §3.2
  badHost: fault("bad-request", "malformed Host header"), // §3.2
  severalLengths: fault("bad-request", "several Content-Length headers"), // §6.3
  badLength: fault("bad-request", "invalid Content-Length"), // §6.3
  lengthAndEncoding: fault("bad-request", "Content-Length beside Transfer-Encoding"), // §6.1
  encodingBefore11: fault("bad-request", "Transfer-Encoding before HTTP/1.1"), // §6.1
  severalEncodings: fault("bad-request", "several Transfer-Encoding headers"), // §6.1
  notChunkedLast: fault("bad-request", "Transfer-Encoding does not end in chunked"), // §6.3
  unsupportedEncoding: fault("unsupported-transfer-encoding", "Unsupported transfer encoding"), // §6.1
  badExpectation: fault("unsupported-expectation", "unsupported expectation"), // RFC 9110 §10.1.1
  badStatusLine: fault("upstream-malformed", "malformed status line"), // §4
  badChunkSize: fault("bad-request", "invalid chunk size"), // §7.1
  badChunkExtension: fault("bad-request", "invalid chunk extension"), // §7.1.1
  chunkExtensionsTooLong: fault("bad-request", "chunk extensions too long"), // §7.1.1
  framingTrailer: fault("bad-request", "framing field among the trailers"), // RFC 9110 §6.5.1
  badChunkEnd: fault("bad-request", "chunk data without its line end"), // §7.1
} as const satisfies Record<string, Fault>;

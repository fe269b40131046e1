import type { ClientHttp2Stream } from "node:http2";
import { ProxyError } from "../../errors/proxy-error.ts";
import { NOT_HTTP2, type UpstreamSession } from "./upstream-sessions.ts";

/** RFC 9113 §7. */
const NO_ERROR = 0;
const CANCEL = 8;

/** The stream ended by a reset or with its session, not by its peer's END_STREAM. */
export function isCut(stream: ClientHttp2Stream): boolean {
  return stream.aborted || stream.destroyed || (stream.rstCode !== undefined && stream.rstCode !== NO_ERROR);
}

/** What Node makes of bytes that are no frames. */
function isNotHttp2(cause: Error | undefined): boolean {
  return cause !== undefined && "code" in cause && cause.code === "ERR_HTTP2_ERROR";
}

/** Why a stream gave no answer, for its client. */
export function streamError(
  rstCode: number | undefined,
  cause: Error | undefined,
  session: UpstreamSession,
): ProxyError {
  if (!session.speaksHttp2 && isNotHttp2(cause))
    return new ProxyError("upstream-malformed", NOT_HTTP2, { cause });
  if (rstCode !== undefined && rstCode !== NO_ERROR && rstCode !== CANCEL) {
    return new ProxyError("upstream-reset", `stream error: reset by upstream, code ${rstCode}`, { cause });
  }
  const reason = cause?.message ?? "EOF";
  return new ProxyError(cause === undefined ? "upstream-closed" : "upstream-malformed", reason, { cause });
}

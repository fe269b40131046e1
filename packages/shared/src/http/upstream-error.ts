import { ProxyError } from "../errors/proxy-error.ts";

/**
 * The error of a failed connection, in the words users search for.
 * @param cause what the socket said; `undefined` for an end that came too early
 */
export function upstreamError(
  address: string,
  cause: NodeJS.ErrnoException | undefined,
  during: "dial" | "head" | "body",
): ProxyError {
  if (cause === undefined) {
    return during === "head"
      ? new ProxyError("upstream-closed", "EOF")
      : new ProxyError("upstream-closed", "unexpected EOF");
  }
  if (during === "dial") {
    return new ProxyError("upstream-refused", `dial tcp ${address}: connect: ${phraseOf(cause)}`, { cause });
  }
  return new ProxyError("upstream-reset", `read tcp ${address}: ${phraseOf(cause)}`, { cause });
}

function phraseOf(cause: NodeJS.ErrnoException): string {
  switch (cause.code) {
    case "ECONNREFUSED":
      return "connection refused";
    case "ECONNRESET":
      return "connection reset by peer";
    case "EPIPE":
      return "broken pipe";
    case "EHOSTUNREACH":
      return "no route to host";
    case "ENETUNREACH":
      return "network is unreachable";
    case "ETIMEDOUT":
      return "connection timed out";
    case "EADDRNOTAVAIL":
      return "cannot assign requested address";
    default:
      return cause.code ?? "connection failed";
  }
}

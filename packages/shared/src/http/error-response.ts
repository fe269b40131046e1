import type { ProxyError } from "../errors/proxy-error.ts";
import type { LocalResponse } from "./exchange.ts";

/**
 * The answer to an error of ours. A text with one newline at its end; a timeout's has none and no `nosniff`
 * (Q-58).
 */
export function errorResponse(error: ProxyError): LocalResponse {
  const isTimeout = error.code === "request-timeout";
  const headers: Record<string, string> = { "Content-Type": "text/plain; charset=utf-8" };
  if (!isTimeout) headers["X-Content-Type-Options"] = "nosniff";
  if (error.retryAfterMs !== undefined)
    headers["Retry-After"] = String(Math.ceil(error.retryAfterMs / 1_000));
  return { status: error.status, headers, body: isTimeout ? error.message : `${error.message}\n` };
}

import { EXPOSITION_CONTENT_TYPE, exposition, type Family, prometheusTlsOptions } from "@rouse/shared";
import type { PrometheusListener } from "../config/prometheus-listener.ts";
import { notFound, PlainServer, type PlainServerOptions, pathOf, plain } from "./plain-server.ts";

const HEADERS_TIMEOUT_MS = 5_000;

/** Where Prometheus comes: `GET /metrics` and nothing else. Q-137. Rejects when it cannot listen. */
export function startUserMetrics(
  families: () => readonly Family[],
  at: PrometheusListener,
  ip: string | undefined,
): Promise<PlainServer> {
  const options: PlainServerOptions = {
    ip: at.host === "" ? ip : at.host,
    port: at.port,
    headersTimeoutMs: HEADERS_TIMEOUT_MS,
    ...(at.tls === undefined ? {} : { tls: prometheusTlsOptions(at.tls) }),
  };
  return PlainServer.start(options, (request, response) => {
    if (pathOf(request) !== "/metrics") {
      notFound(response);
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      plain(response, 405, "Method Not Allowed\n");
      return;
    }
    const text = exposition(families());
    response.writeHead(200, {
      "Content-Type": EXPOSITION_CONTENT_TYPE,
      "Content-Length": Buffer.byteLength(text),
    });
    response.end(text);
  });
}

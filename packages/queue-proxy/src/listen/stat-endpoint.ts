import { ports, STAT_CONTENT_TYPE } from "@rouse/shared";
import { notFound, PlainServer, pathOf } from "./plain-server.ts";

const HEADERS_TIMEOUT_MS = 60_000;

/** Where the autoscaler asks for our load: always protobuf, whatever it accepts. */
export function startStatEndpoint(
  stats: { readonly bytes: Uint8Array },
  ip: string | undefined,
): Promise<PlainServer> {
  const at = { ip, port: ports.autoscalerMetrics, headersTimeoutMs: HEADERS_TIMEOUT_MS };
  return PlainServer.start(at, (request, response) => {
    if (pathOf(request) !== "/metrics") {
      notFound(response);
      return;
    }
    const { bytes } = stats;
    response.writeHead(200, { "Content-Type": STAT_CONTENT_TYPE, "Content-Length": bytes.length });
    response.end(bytes);
  });
}

import { type Clock, ports, STAT_CONTENT_TYPE } from "@rouse/shared";
import { type SideListener, startSideListener } from "./side-listener.ts";

/** Where the autoscaler asks for our load: always protobuf, whatever it accepts. */
export function startStatEndpoint(
  deps: { readonly clock: Clock },
  stats: { readonly bytes: Uint8Array },
  ip: string,
): Promise<SideListener> {
  const headers = { "Content-Type": STAT_CONTENT_TYPE };
  return startSideListener(
    deps,
    { ip, port: ports.autoscalerMetrics },
    {
      path: "/metrics",
      answer: (exchange) => exchange.respond({ status: 200, headers, body: stats.bytes }),
    },
  );
}

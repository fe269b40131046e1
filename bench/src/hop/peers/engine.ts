/** The bare engine: every request straight to the upstream. `/park` is held until `/release`. */
import { type Exchange, HttpServer, RealClock, RealRandom, UpstreamPool } from "@rouse/shared";

const clock = new RealClock();
const upstreamOf = (port: string | undefined): UpstreamPool =>
  new UpstreamPool({ clock, random: new RealRandom() }, { ip: "127.0.0.1", port: Number(port) });
const http1 = upstreamOf(process.env.UPSTREAM_PORT);
const http2 = upstreamOf(process.env.UPSTREAM_PORT_H2);
const parked = new Set<Exchange<undefined>>();

await HttpServer.start<undefined>(
  {
    clock,
    context: () => undefined,
    handler: (exchange) => {
      const { target, version } = exchange.request;
      if (target === "/park") {
        parked.add(exchange);
      } else if (target === "/parked") {
        exchange.respond({ status: 200, body: String(parked.size) });
      } else if (target === "/release") {
        exchange.respond({ status: 200, body: String(parked.size) });
        for (const held of parked) held.forward(http1);
        parked.clear();
      } else exchange.forward(version === "2.0" ? http2 : http1);
    },
  },
  { ip: "127.0.0.1", port: Number(process.env.PORT) },
);

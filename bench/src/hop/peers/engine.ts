/** The bare engine: every request straight to the upstream. `/park` is held until its client leaves. */
import {
  type Exchange,
  HttpServer,
  IdleMemory,
  RealClock,
  RealRandom,
  silentLogger,
  UpstreamPool,
} from "@rouse/shared";

const AT_REST = { busyRatioMax: 0.05, returnedBytesMin: 4 * 1024 * 1024 };
const clock = new RealClock();
const upstreamOf = (port: string | undefined): UpstreamPool =>
  new UpstreamPool({ clock, random: new RealRandom() }, { ip: "127.0.0.1", port: Number(port) });
const http1 = upstreamOf(process.env.UPSTREAM_PORT);
const http2 = upstreamOf(process.env.UPSTREAM_PORT_H2);
const parked = new Set<Exchange<undefined>>();
const forget = { ended: (exchange: Exchange<undefined>) => void parked.delete(exchange) };

const server = await HttpServer.start<undefined>(
  {
    clock,
    context: () => undefined,
    handler: (exchange) => {
      const { target, version } = exchange.request;
      if (target === "/park") {
        parked.add(exchange);
        exchange.observe(forget);
      } else if (target === "/parked") {
        exchange.respond({ status: 200, body: String(parked.size) });
      } else if (target === "/connections") {
        exchange.respond({ status: 200, body: String(server.connectionCount) });
      } else exchange.forward(version === "2.0" ? http2 : http1);
    },
  },
  { ip: "127.0.0.1", port: Number(process.env.PORT) },
);

void new IdleMemory({ clock, log: silentLogger }, AT_REST);

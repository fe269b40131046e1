/** What most people use. */
import { Agent, createServer } from "node:http";
import httpProxy from "http-proxy";

const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${process.env.UPSTREAM_PORT}`,
  agent: new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY }),
});
proxy.on("error", () => {});

createServer({ keepAliveTimeout: 0 }, (request, response) => proxy.web(request, response)).listen(
  Number(process.env.PORT),
  "127.0.0.1",
);

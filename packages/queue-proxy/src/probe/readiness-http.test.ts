import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createTcpServer, type Server } from "node:net";
import { type Probe, silentLogger } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, onTestFinished, test } from "vitest";
import { Readiness } from "./readiness.ts";

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

async function listening(server: Server): Promise<number> {
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const program = (serve: Serve): Promise<number> => listening(createServer(serve));

function check(httpGet: Probe["httpGet"], { clock = new VirtualClock(), detectsHttp2 = false } = {}) {
  const probes: readonly Probe[] = [
    { periodSeconds: 10, timeoutSeconds: 1, ...(httpGet === undefined ? {} : { httpGet }) },
  ];
  return new Readiness({ clock, log: silentLogger }, { userPort: 1, probes, detectsHttp2 }).check();
}

test.each([
  [200, true],
  [204, true],
  [304, true],
  [399, true],
  [400, false],
  [404, false],
  [500, false],
  [503, false],
])("Q-98: a final status of %i is ready: %s", async (status, want) => {
  const port = await program((_, response) => response.writeHead(status).end());
  expect(await check({ port, path: "/" })).toBe(want);
});

test("Q-98: an interim answer decides nothing", async () => {
  const port = await program((_, response) => {
    response.writeProcessing();
    response.writeHead(503).end();
  });
  expect(await check({ port, path: "/" })).toBe(false);
});

test("Q-98: a GET by HTTP/1.1 without a body, path and query as they are, on a connection of its own each time", async () => {
  const seen: unknown[] = [];
  const ports = new Set<number | undefined>();
  const port = await program((request, response) => {
    const { method, url, httpVersion, headers } = request;
    seen.push([method, url, httpVersion, headers.connection, headers["content-length"]]);
    ports.add(request.socket.remotePort);
    response.end();
  });
  const path = "a/../ready?x=1&y=%20";
  expect([await check({ port, path }), await check({ port, path })]).toEqual([true, true]);
  const want = ["GET", "/a/../ready?x=1&y=%20", "1.1", "close", undefined];
  expect([seen, ports.size]).toEqual([[want, want], 2]);
});

test("Q-98: a probe that names no scheme is asked by HTTP, which the reference never finds ready", async () => {
  const port = await program((_, response) => response.end());
  expect(await check({ port, path: "/", host: "127.0.0.1" })).toBe(true);
});

test("Q-98: a redirect may lead to another host, and what that says counts", async () => {
  const asked: (string | undefined)[] = [];
  const port = await program((request, response) => {
    asked.push(`${request.headers.host} ${request.url}`);
    response.writeHead(request.url === "/bad" ? 500 : 200).end();
  });
  for (const [path, want] of [
    ["/good?x=1", true],
    ["/bad", false],
  ] as const) {
    const first = await program((_, response) =>
      response.writeHead(307, { Location: `http://localhost:${port}${path}` }).end(),
    );
    expect(await check({ port: first, path: "/" })).toBe(want);
  }
  expect(asked).toEqual([`localhost:${port} /good?x=1`, `localhost:${port} /bad`]);
});

test("Q-96, Q-98: the limit is for all of it, redirects included", async () => {
  const clock = new VirtualClock();
  const arrived = [Promise.withResolvers<() => void>(), Promise.withResolvers<() => void>()];
  let asked = 0;
  const port = await program((_, response) => {
    const isFirst = asked++ === 0;
    arrived[isFirst ? 0 : 1]?.resolve(() =>
      response.writeHead(isFirst ? 302 : 200, isFirst ? { Location: "/next" } : {}).end(),
    );
  });
  const ready = check({ port, path: "/" }, { clock });
  const redirect = await arrived[0]?.promise;
  clock.advance(600);
  redirect?.();
  await arrived[1]?.promise;
  clock.advance(399);
  await clock.settle();
  clock.advance(1);
  expect(await ready).toBe(false);
  expect(clock.pendingTimers).toBe(0);
});

test("Q-99, Q-103: by HTTP/2 as well configured fields win, Host and User-Agent included (E-14)", async () => {
  const seen: unknown[] = [];
  const server = createHttp2Server((request, response) => {
    seen.push([request.authority, request.headers["user-agent"], request.url]);
    response.end();
  });
  const port = await listening(server);
  const httpHeaders = [
    { name: "Host", value: "ready.example" },
    { name: "User-Agent", value: "mine" },
  ];
  expect(await check({ port, path: "/r?x=1", httpHeaders }, { detectsHttp2: true })).toBe(true);
  expect(seen).toEqual([
    [`127.0.0.1:${port}`, "kube-probe//", "/r?x=1"],
    ["ready.example", "mine", "/r?x=1"],
  ]);
});

test("Q-96: a timeout of 0 is none, but for gRPC, where it leaves no time at all", async () => {
  const clock = new VirtualClock();
  const asked = Promise.withResolvers<ServerResponse>();
  const port = await program((_, response) => asked.resolve(response));
  const probes = [{ periodSeconds: 1, timeoutSeconds: 0, httpGet: { port, path: "/" } }];
  const patient = new Readiness({ clock, log: silentLogger }, { userPort: 1, probes }).check();
  const response = await asked.promise;
  clock.advance(3_600_000);
  response.end();
  expect(await patient).toBe(true);

  const silent = await listening(createTcpServer((socket) => void socket.on("error", () => {})));
  const grpc = [{ periodSeconds: 1, timeoutSeconds: 0, grpc: { port: silent } }];
  const hasty = new Readiness({ clock, log: silentLogger }, { userPort: 1, probes: grpc }).check();
  clock.advance(0);
  expect(await hasty).toBe(false);
});

import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { type Logger, type Probe, silentLogger } from "@rouse/shared";
import { CERTIFICATE_A } from "@rouse/shared/testing";
import { afterEach, expect, test } from "vitest";
import { PassingClock } from "../../test/passing-clock.ts";
import { Readiness } from "./readiness.ts";

const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A program that answers its readiness path with what `statuses` says, the last one for ever. */
async function program(statuses: readonly number[]) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers["user-agent"]} ${request.headers.host}`);
    response.writeHead(statuses[Math.min(asked.length, statuses.length) - 1] ?? 200).end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: portOf(server), asked };
}

function readiness(port: number, probe?: Probe) {
  return new Readiness({ clock: new PassingClock(), log: silentLogger }, { userPort: port, probes: [probe] });
}

test("without a probe an open port is ready", async () => {
  const { port } = await program([500]);
  expect(await readiness(port).check()).toBe(true);
});

test("V-5: the threshold counts successes in a row", async () => {
  const { port, asked } = await program([200, 500, 200, 200, 200]);
  const probe = { httpGet: { path: "/ready?x=1" }, successThreshold: 3 };
  expect(await readiness(port, probe).check()).toBe(true);
  expect(asked.length).toBe(5);
  expect(asked[0]).toBe(`GET /ready?x=1 kube-probe// 127.0.0.1:${port}`);
});

test("Q-92, Q-107: questions during a run share it, a later one starts another", async () => {
  const { port, asked } = await program([200]);
  const checked = readiness(port, { httpGet: {} });
  expect(await Promise.all([checked.check(), checked.check(), checked.check()])).toEqual([true, true, true]);
  expect(asked.length).toBe(1);
  await checked.check();
  expect(asked.length).toBe(2);
});

test("Q-96: with a period one attempt decides", async () => {
  const { port, asked } = await program([503, 200]);
  const checked = readiness(port, { httpGet: { path: "/" }, periodSeconds: 10, timeoutSeconds: 1 });
  expect([await checked.check(), await checked.check()]).toEqual([false, true]);
  expect(asked.length).toBe(2);
});

test("Q-99: configured fields win, Host and User-Agent included (E-14)", async () => {
  const { port, asked } = await program([200]);
  const httpHeaders = [
    { name: "host", value: "ready.example" },
    { name: "User-Agent", value: "mine" },
  ];
  await readiness(port, { httpGet: { path: "/", httpHeaders } }).check();
  expect(asked).toEqual(["GET / mine ready.example"]);
});

test("a port that opens later is noticed; giving up ends the wait", async () => {
  const closed = createTcpServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const address = closed.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await new Promise<void>((resolve) => closed.close(() => resolve()));

  const checked = readiness(port);
  const giveUp = new AbortController();
  const never = checked.awaitReady(giveUp.signal);
  giveUp.abort();
  expect(await never).toBe(false);

  const wait = checked.awaitReady(new AbortController().signal);
  const server = createTcpServer((socket) => socket.destroy());
  servers.push(server);
  server.listen(port, "127.0.0.1");
  expect(await wait).toBe(true);
});

test("a check while a starting program is watched waits for that and asks nothing itself", async () => {
  const { port, asked } = await program([200]);
  const checked = readiness(port, { httpGet: {} });
  const starting = checked.awaitReady(new AbortController().signal);
  expect([await checked.check(), await starting, asked.length]).toEqual([true, true, 1]);
  await checked.check();
  expect(asked.length).toBe(2);
});

/** A log that keeps what it is told. */
function keepingLog() {
  const lines: string[] = [];
  const keep = (message: string): void => {
    lines.push(message);
  };
  const log: Logger = { ...silentLogger, warn: keep, error: keep, with: () => log };
  return { log, lines };
}

function withProbes(probes: readonly Probe[], options: { detectsHttp2?: boolean; log?: Logger } = {}) {
  const { log = silentLogger, ...rest } = options;
  return new Readiness({ clock: new PassingClock(), log }, { userPort: 1, probes, ...rest });
}

const standard = { periodSeconds: 10, timeoutSeconds: 1 };

test("Q-105: no probe at all is always ready", async () => {
  expect(await withProbes([]).check()).toBe(true);
});

test("Q-93, V-5: of an array all must succeed, and all are asked at once", async () => {
  const [good, bad] = [await program([200]), await program([503])];
  const probe = (port: number): Probe => ({ ...standard, httpGet: { port, path: "/" } });
  expect(await withProbes([probe(good.port), probe(bad.port)]).check()).toBe(false);
  expect(await withProbes([probe(good.port), probe(good.port)]).check()).toBe(true);
  expect([good.asked.length, bad.asked.length]).toEqual([3, 1]);
});

test("Q-94, Q-95: without a period it asks until it succeeds", async () => {
  const { port, asked } = await program([500, 500, 200]);
  expect(await withProbes([{ httpGet: { port, path: "/" } }]).check()).toBe(true);
  expect(asked.length).toBe(3);
});

test.each([
  { probe: {}, says: "no probe found" },
  { probe: { exec: { command: ["true"] } }, says: "exec probe not supported" },
])("Q-102: $says", async ({ probe, says }) => {
  const { log, lines } = keepingLog();
  expect(await withProbes([{ ...standard, ...probe }], { log }).check()).toBe(false);
  expect(lines).toEqual([says]);
});

test("Q-97: TCP opens a connection and sends nothing", async () => {
  let bytes = 0;
  const server = createTcpServer((socket) => socket.on("data", (piece: Buffer) => (bytes += piece.length)));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  expect(await withProbes([{ ...standard, tcpSocket: { port } }]).check()).toBe(true);
  expect(bytes).toBe(0);
});

test("Q-98: redirects are followed, ten and no more", async () => {
  let asked = 0;
  const serve =
    (until: number): RequestListener =>
    (_, response) => {
      if (asked++ < until) response.writeHead(302, { Location: "/again" }).end();
      else response.writeHead(500).end();
    };
  for (const [until, want] of [
    [3, false],
    [100, true], // the eleventh answer is a redirect, and 302 is a success
  ] as const) {
    asked = 0;
    const server = createServer(serve(until));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    expect(await withProbes([{ ...standard, httpGet: { port: portOf(server), path: "x" } }]).check()).toBe(
      want,
    );
    expect(asked).toBe(Math.min(until, 10) + 1);
  }
});

test("Q-100: a certificate of the program's own making is good enough (E-14)", async () => {
  const server = createHttpsServer(CERTIFICATE_A, (_, response) => response.end());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  expect(
    await withProbes([{ ...standard, httpGet: { port: portOf(server), scheme: "HTTPS" } }]).check(),
  ).toBe(true);
});

test("Q-103, V-5: HTTP/2 is tried first where it may be, HTTP/1.1 after it; configured fields decide on HTTP/2 alone", async () => {
  const asked: string[] = [];
  const http2 = createHttp2Server((request, response) => {
    asked.push(String(request.headers.mine));
    response.writeHead(request.headers.mine === "bad" ? 503 : 200).end();
  });
  servers.push(http2);
  await new Promise<void>((resolve) => http2.listen(0, "127.0.0.1", resolve));
  const address = http2.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const detecting = (value: string) =>
    withProbes([{ ...standard, httpGet: { port, path: "/", httpHeaders: [{ name: "Mine", value }] } }], {
      detectsHttp2: true,
    }).check();
  expect([await detecting("good"), await detecting("bad")]).toEqual([true, false]);
  expect(asked).toEqual(["undefined", "good", "undefined", "bad"]);
  for (const [status, want] of [
    [200, true],
    [503, false],
  ] as const) {
    const http1 = await program([status]);
    const probe = { ...standard, httpGet: { port: http1.port, path: "/" } };
    expect(await withProbes([probe], { detectsHttp2: true }).check()).toBe(want);
  }
});

test("Q-104: a run that fails is one line of the log, with the last error; one that succeeds in the end is none", async () => {
  const { log, lines } = keepingLog();
  const { port } = await program([503]);
  expect(await withProbes([{ ...standard, httpGet: { port, path: "/" } }], { log }).check()).toBe(false);
  const late = await program([500, 500, 200]);
  expect(await withProbes([{ httpGet: { port: late.port, path: "/" } }], { log }).check()).toBe(true);
  expect(lines).toEqual(["status 503"]);
});

test.each([
  { httpGet: { port: 1, host: "not a host", path: "/" } },
  { httpGet: { port: 1, path: "/", httpHeaders: [{ name: "bad name", value: "x" }] } },
  { httpGet: { port: 1, path: "/", httpHeaders: [{ name: "X", value: "a\r\nb" }] } },
  { tcpSocket: { port: 1, host: "not a host" } },
])("Q-88: what cannot even be asked is not ready, and no more: %j", async (probe) => {
  expect(await withProbes([{ ...standard, ...probe }]).check()).toBe(false);
});

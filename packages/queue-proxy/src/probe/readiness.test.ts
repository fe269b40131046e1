import { createServer, type Server } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { type Probe, RealClock, silentLogger } from "@rouse/shared";
import { afterEach, expect, test } from "vitest";
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
  return new Readiness({ clock: new RealClock(), log: silentLogger }, { userPort: port, probes: [probe] });
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

test("Q-92: questions during a run share it, a later one starts another", async () => {
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

test("Q-99: configured fields win, Host and User-Agent included", async () => {
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

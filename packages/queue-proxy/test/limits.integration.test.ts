import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { type Logger, RealRandom, silentLogger } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, onTestFinished, test } from "vitest";
import { QueueProxy, type QueueProxyOptions } from "../src/index.ts";
import { call } from "./client.ts";
import { program } from "./program.ts";

const LIMITS = { timeoutMs: 0, responseStartTimeoutMs: 0, idleTimeoutMs: 0 };
/** Limits are met this late, and never early. */
const LATE_MS = 20;

/** A proxy in front of `userPort` whose time moves when the test says so, and what it writes into its log. */
async function start(userPort: number, options: Partial<QueueProxyOptions>) {
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const log: Logger = { ...silentLogger, warn: (text) => void warnings.push(text), with: () => log };
  const proxy = await QueueProxy.start(
    { clock, random: new RealRandom(), log },
    {
      ip: "127.0.0.1",
      port: 0,
      podName: "pod-1",
      revision: { namespace: "default", name: "hello-00001" },
      userPort,
      containerConcurrency: 0,
      ...LIMITS,
      ...options,
    },
  );
  onTestFinished(() => proxy.close());
  return { clock, warnings, proxy };
}

/** A program that holds every request: the test answers, or sees it closed. */
async function holding() {
  const asked = Promise.withResolvers<ServerResponse>();
  const closed = Promise.withResolvers<void>();
  const hello = await program((_, response) => {
    response.on("close", () => closed.resolve());
    asked.resolve(response);
  });
  onTestFinished(() => hello[Symbol.asyncDispose]());
  return { port: hello.port, asked: asked.promise, closed: closed.promise };
}

test.each([
  { limits: { timeoutMs: 300_000 }, says: "Request timeout: 5m0s" },
  { limits: { timeoutMs: 300_000, responseStartTimeoutMs: 7_000 }, says: "Response start timeout: 7s" },
  { limits: { timeoutMs: 300_000, idleTimeoutMs: 90_000 }, says: "Idle timeout: 1m30s" },
])("Q-56: $says: one line, a 504, and the program is told that nobody waits", async ({ limits, says }) => {
  const hello = await holding();
  const { clock, warnings, proxy } = await start(hello.port, limits);
  const answer = call(proxy.address);
  await hello.asked;
  clock.advance(Math.min(...Object.values(limits)) - 1);
  expect(warnings).toEqual([]);
  clock.advance(1 + LATE_MS);
  expect(await answer).toMatchObject({ status: 504, body: "request timeout" });
  await hello.closed;
  expect([warnings, proxy.inFlight]).toEqual([[says], 0]);
});

test.each([0, -5_000])(
  "Q-53: a total limit of %i ms is none, said at the start, and no answer of 504 at once (E-4)",
  async (timeoutMs) => {
    const hello = await holding();
    const { clock, warnings, proxy } = await start(hello.port, { timeoutMs });
    expect(warnings).toEqual(["requests have no total time limit"]);
    const answer = call(proxy.address);
    const response = await hello.asked;
    clock.advance(3_600_000);
    response.end("at last");
    expect(await answer).toMatchObject({ status: 200, body: "at last" });
  },
);

test("Q-51: a client that is still sending is answered when a limit is met, without having to send the rest", async () => {
  const hello = await holding();
  const { clock, proxy } = await start(hello.port, { timeoutMs: 300_000, responseStartTimeoutMs: 10_000 });
  const client = connect(proxy.address.port, "127.0.0.1");
  onTestFinished(() => void client.destroy());
  client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  await hello.asked;
  for (let second = 0; second < 9; second++) {
    clock.advance(1_000);
    client.write("1\r\nx\r\n"); // what is read from the client is no sign of life of the program
  }
  clock.advance(1_000 + LATE_MS);
  let text = "";
  while (!text.endsWith("request timeout")) text += String((await once(client, "data"))[0]);
  expect(text).toMatch(/^HTTP\/1\.1 504 /);
});

const HEALTH = { "User-Agent": "kube-probe/1.33", "K-Network-Probe": "queue" };

test("Q-61, Q-107: a question about health has no limit but its own, however long the program takes to answer it", async () => {
  const hello = await holding();
  const httpGet = { port: hello.port, path: "/" };
  const readinessProbes = [{ periodSeconds: 100, timeoutSeconds: 100, httpGet }];
  const { clock, warnings, proxy } = await start(1, { timeoutMs: 5_000, readinessProbes });
  const given = new AbortController();
  const abandoned = call(proxy.address, { headers: HEALTH, signal: given.signal });
  const answer = call(proxy.address, { headers: HEALTH });
  const response = await hello.asked;
  given.abort();
  await expect(abandoned).rejects.toThrow();
  clock.advance(90_000);
  response.end();
  expect([(await answer).status, warnings]).toEqual([200, []]);
});

test("Q-110: a request puts the end of a drain off, a probe does not, nor does what runs", async () => {
  const hello = await program((_, response) => response.end());
  onTestFinished(() => hello[Symbol.asyncDispose]());
  const { clock, proxy } = await start(hello.port, { drainQuietMs: 30_000 });
  let drainedAt = -1;
  const drained = proxy.quiet.begin().then(() => {
    drainedAt = clock.now();
  });
  for (const headers of [{}, HEALTH, { "K-Network-Probe": "probe", "K-Network-Hash": "h" }]) {
    clock.advance(10_000);
    await call(proxy.address, { headers });
  }
  await clock.advanceAsync(9_999);
  expect(drainedAt).toBe(-1);
  await clock.advanceAsync(1);
  await drained;
  expect(drainedAt).toBe(40_000); // 30 s after the one request
});

/** A program that switches to WebSocket and listens; and a client in a tunnel to it. */
async function webSocket(options: Partial<QueueProxyOptions>) {
  const server = createServer();
  const switched = Promise.withResolvers<Socket>();
  server.on("upgrade", (_, socket: Socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    switched.resolve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { clock, proxy, warnings } = await start(port, options);
  const client = connect(proxy.address.port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  expect(String((await once(client, "data"))[0])).toContain(" 101 ");
  return { clock, client, warnings, upstream: await switched.promise };
}

test.each(["client", "program"])(
  "Q-60: a WebSocket whose %s alone speaks outlives the limits of response start and of idleness, until it rests (E-3)",
  async (who) => {
    const limits = { timeoutMs: 300_000, responseStartTimeoutMs: 5_000, idleTimeoutMs: 10_000 };
    const { clock, client, upstream, warnings } = await webSocket(limits);
    const [from, to] = who === "client" ? [client, upstream] : [upstream, client];
    for (let round = 0; round < 10; round++) {
      clock.advance(9_000);
      from.write(`${round}`);
      expect(String((await once(to, "data"))[0])).toBe(`${round}`);
    }
    expect(warnings).toEqual([]);
    const closed = once(client, "close");
    client.resume();
    clock.advance(10_000 + LATE_MS);
    await closed;
    expect(warnings).toEqual(["Idle timeout: 10s"]);
  },
);

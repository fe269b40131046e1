import { createServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createTcpServer } from "node:net";
import {
  decodeStatMessages,
  RealClock,
  RealRandom,
  revisionKey,
  SeededRandom,
  type StatMessage,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { AutoscalerLink, reconnectDelayMs } from "./autoscaler-link.ts";

const message = (concurrency: number): StatMessage => ({
  revision: revisionKey({ namespace: "test", name: "rev1" }),
  stat: {
    podName: "act",
    averageConcurrentRequests: concurrency,
    averageProxiedConcurrentRequests: 0,
    requestCount: concurrency,
    proxiedRequestCount: 0,
    processUptime: 0,
    timestamp: 0,
  },
});
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** An autoscaler that keeps what it gets; `refuses` so many handshakes first. */
async function autoscaler(refuses = 0, autoPong = true) {
  const seen: {
    frames: Buffer[];
    sockets: WebSocket[];
    headers: IncomingHttpHeaders[];
    urls: string[];
    pings: number;
  } = { frames: [], sockets: [], headers: [], urls: [], pings: 0 };
  const sockets = new WebSocketServer({ noServer: true, autoPong });
  const server = createServer();
  let left = refuses;
  server.on("upgrade", (request, socket, head) => {
    if (left-- > 0) {
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); // not the owner of the bucket
      return;
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      seen.sockets.push(accepted);
      seen.headers.push(request.headers);
      seen.urls.push(request.url ?? "");
      accepted.on("ping", () => seen.pings++);
      accepted.on("message", (data: Buffer) => seen.frames.push(data));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `ws://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const close = async () => {
    for (const socket of seen.sockets) socket.terminate();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { seen, url, [Symbol.asyncDispose]: close };
}

const deps = () => ({ clock: new RealClock(), random: new RealRandom(), log: silentLogger });

describe("the link to the autoscaler", () => {
  test("A-91, A-93: a poke sent before it is up is the first frame; no origin, no agent, no extension", async () => {
    await using server = await autoscaler();
    using link = new AutoscalerLink(deps(), server.url);
    link.send([message(1)], "poke");
    link.send([message(3)], "period"); // dropped: A-97
    while (server.seen.frames.length === 0) await turn();
    expect(server.seen.frames.map((frame) => frame.toString("hex"))).toEqual([
      "0a250a0474657374120472657631" + "1a170a0361637411000000000000f03f21000000000000f03f",
    ]);
    expect(server.seen.urls).toEqual(["/"]);
    expect(server.seen.headers[0]).not.toHaveProperty("origin");
    expect(server.seen.headers[0]).not.toHaveProperty("user-agent");
    expect(server.seen.headers[0]).not.toHaveProperty("sec-websocket-extensions");
    expect(link.isConnected).toBe(true);
  });

  test("A-98: frames come in the order they were sent", async () => {
    await using server = await autoscaler();
    using link = new AutoscalerLink(deps(), server.url);
    while (!link.isConnected) await turn();
    const values = Array.from({ length: 20 }, (_, index) => index + 1);
    for (const value of values) {
      link.send([message(value)], "period");
      while (server.seen.frames.length < value) await turn();
    }
    const got = server.seen.frames.map((frame) => decodeStatMessages(frame)?.[0]?.stat.requestCount);
    expect(got).toEqual(values);
  });

  test("A-96, A-99: closed for a restart, it connects again at once and counts the loss", async () => {
    await using server = await autoscaler();
    using link = new AutoscalerLink(deps(), server.url);
    while (server.seen.sockets.length < 1 || !link.isConnected) await turn();
    server.seen.sockets[0]?.close(1_012);
    while (link.isConnected) await turn();
    link.send([message(1)], "poke");
    while (server.seen.frames.length === 0) await turn();
    expect([server.seen.sockets.length, link.errors]).toEqual([2, 1]);
  });

  test("A-94: an answer that is no upgrade is a failed attempt, which is tried again and not counted", async () => {
    await using server = await autoscaler(1);
    using link = new AutoscalerLink(deps(), server.url);
    while (!link.isConnected) await turn();
    expect(link.errors).toBe(0);
  });

  test("A-96, A-150: it pings, and a connection that does not answer is given up", async () => {
    await using server = await autoscaler(0, false);
    const clock = new VirtualClock();
    const link = new AutoscalerLink({ ...deps(), clock }, server.url);
    while (!link.isConnected) await turn();
    clock.advance(3_330);
    while (server.seen.pings === 0) await turn();
    clock.advance(6_670);
    while (link.isConnected) await turn();
    expect(link.errors).toBe(1);
    link.close();
    expect(clock.pendingTimers).toBe(0);
  });

  test("closed while it connects, it leaves nothing open", async () => {
    const silent = createTcpServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const link = new AutoscalerLink(deps(), `ws://127.0.0.1:${port}`);
    link.close();
    link.close();
    link.send([message(1)], "poke");
    await new Promise<void>((resolve) => silent.close(() => resolve()));
    expect(link.isConnected).toBe(false);
  });
});

test("A-95: attempts back off from 100 ms by 1.3, stretched by at most a half, and begin anew after twenty", () => {
  const random = new SeededRandom(1);
  const delays = Array.from({ length: 21 }, (_, failed) => reconnectDelayMs(failed, random));
  expect([delays[0], delays[20]]).toEqual([0, 0]);
  for (let failed = 1; failed < 20; failed++) {
    const least = 100 * 1.3 ** (failed - 1);
    expect(delays[failed]).toBeGreaterThanOrEqual(least);
    expect(delays[failed]).toBeLessThanOrEqual(least * 1.5);
  }
  expect(100 * 1.3 ** 18).toBeLessThan(17_000);
});

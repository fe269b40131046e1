import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:net";
import {
  encodeStatMessages,
  RealClock,
  type RevisionKey,
  revisionKey,
  type StatMessage,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Buckets, bucketNames } from "../src/forward/buckets.ts";
import { Forwarder } from "../src/forward/forwarder.ts";
import { StatServer } from "../src/receive/stat-server.ts";
import { stat } from "./world.ts";

const revision = revisionKey({ namespace: "default", name: "hello-00001" });
const message = (podName = "act", of: RevisionKey = revision): StatMessage => ({
  revision: of,
  stat: stat({ podName, concurrency: 1, rps: 1 }),
});

/** Collects what arrives; `arrived(n)` resolves once there are n messages. */
function collecting() {
  const messages: StatMessage[] = [];
  let check = (): void => {};
  return {
    messages,
    send: (batch: readonly StatMessage[]): void => {
      messages.push(...batch);
      check();
    },
    arrived: (count: number): Promise<void> =>
      new Promise((resolve) => {
        check = () => {
          if (messages.length >= count) resolve();
        };
        check();
      }),
  };
}
const clock = new RealClock();
const starting = (sink = collecting(), ownsBucket: (bucket: string) => boolean = () => true) =>
  StatServer.start({ clock, log: silentLogger, sink, ownsBucket }, { ip: "127.0.0.1", port: 0 });

function opened(port: number, headers: Readonly<Record<string, string>> = {}): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/any/path`, { headers });
    socket.on("open", () => resolve(socket));
    socket.on("error", reject);
  });
}
const closed = (socket: WebSocket): Promise<number> => new Promise((resolve) => socket.on("close", resolve));

function get(port: number, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on("error", reject);
    call.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
    call.end();
  });
}
const upgrade = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

describe("S-35: the stat server", () => {
  test("takes batches on any path, and keeps a connection whose frame it cannot read", async () => {
    const sink = collecting();
    await using server = await starting(sink);
    const socket = await opened(server.port);
    socket.send("a text");
    socket.send(Buffer.from("nonsense"));
    socket.send(encodeStatMessages([message("one"), message("two")]));
    await sink.arrived(2);
    expect(sink.messages.map(({ stat: { podName } }) => podName)).toEqual(["one", "two"]);
    expect(server.droppedFrames).toBe(2);
    expect(server.connections).toBe(1);
  });

  test.each([
    { what: "a kubelet", headers: { "User-Agent": "kube-probe/1.33" }, want: 200 },
    { what: "a forwarded kubelet probe", headers: { "K-Kubelet-Probe": "x" }, want: 200 },
    {
      what: "a kubelet that would upgrade",
      headers: { ...upgrade, "User-Agent": "kube-probe/1.33" },
      want: 200,
    },
    { what: "anybody without an upgrade", headers: {}, want: 400 },
    { what: "an activator", headers: upgrade, want: 101 },
    { what: "a page of another site", headers: { ...upgrade, Origin: "http://evil.example" }, want: 403 },
    {
      what: "somebody for a bucket that is not ours (S-36)",
      headers: { ...upgrade, Host: "autoscaler-bucket-01-of-02.knative-serving.svc" },
      want: 200,
    },
    {
      what: "somebody for our bucket (S-36)",
      headers: { ...upgrade, Host: "autoscaler-bucket-00-of-02.knative-serving.svc:8080" },
      want: 101,
    },
  ])("answers $what with $want", async ({ headers, want }) => {
    await using server = await starting(collecting(), (bucket) => bucket === "autoscaler-bucket-00-of-02");
    expect(await get(server.port, headers)).toBe(want);
  });

  test("S-38: stamps what has no time, and leaves a stamp alone", async () => {
    const sink = collecting();
    await using server = await starting(sink);
    const socket = await opened(server.port);
    const old = { ...message(), stat: { ...message().stat, timestamp: 1_234 } };
    const before = Math.floor(clock.wall() / 1_000);
    socket.send(encodeStatMessages([message(), old]));
    await sink.arrived(2);
    const [first, second] = sink.messages.map(({ stat: { timestamp } }) => timestamp);
    expect(first).toBeGreaterThanOrEqual(before);
    expect(first).toBeLessThanOrEqual(Math.floor(clock.wall() / 1_000));
    expect(second).toBe(1_234);
  });
});

describe("S-37: the end", () => {
  test("every client is told 1012", async () => {
    const server = await starting();
    const sockets = await Promise.all([opened(server.port), opened(server.port)]);
    const codes = Promise.all(sockets.map(closed));
    await server.close();
    expect(await codes).toEqual([1012, 1012]);
    await server.close();
  });

  test("one that does not go is cut off after five seconds", async () => {
    const virtual = new VirtualClock();
    const server = await StatServer.start(
      { clock: virtual, log: silentLogger, sink: collecting(), ownsBucket: () => true },
      { ip: "127.0.0.1", port: 0 },
    );
    const socket = await opened(server.port);
    socket.pause(); // never reads the close frame, so never answers it
    const end = server.close();
    virtual.advance(5_000);
    await end;
    expect(virtual.pendingTimers).toBe(0);
    socket.terminate();
  });
});

describe("between autoscalers", () => {
  const buckets = new Buckets(bucketNames(1));
  const [bucket = ""] = buckets.names;

  test("S-137, S-138: what another holds is sent there, after what came while the connection opened", async () => {
    const there = collecting();
    await using server = await starting(there);
    const here = collecting();
    const urls = [`ws://127.0.0.1:1`, `ws://127.0.0.1:${server.port}`];
    using forwarder = new Forwarder({
      clock,
      buckets,
      holders: { holder: () => ({ kind: "remote", urls }) },
      local: here,
    });
    forwarder.send([message("one"), message("two")]);
    await there.arrived(2);
    forwarder.send([message("three")]);
    await there.arrived(3);
    expect(there.messages.map(({ stat: { podName } }) => podName)).toEqual(["one", "two", "three"]);
    expect(there.messages[0]?.revision).toBe(revision);
    expect(here.messages).toEqual([]);
    expect(server.connections).toBe(1);
  });

  test("S-137: an address that says nothing has half a second, then the next one is tried", async () => {
    const there = collecting();
    await using server = await starting(there);
    const called = Promise.withResolvers<void>();
    const silent = createServer((socket) => {
      socket.on("error", () => {});
      called.resolve();
    });
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const urls = [`ws://127.0.0.1:${port}`, `ws://127.0.0.1:${server.port}`];
    const virtual = new VirtualClock();
    using forwarder = new Forwarder({
      clock: virtual,
      buckets,
      holders: { holder: () => ({ kind: "remote", urls }) },
      local: collecting(),
    });
    forwarder.send([message("one")]);
    await called.promise;
    virtual.advance(499);
    expect(server.connections).toBe(0);
    virtual.advance(1);
    while (server.connections === 0) await new Promise((turn) => setImmediate(turn));
    const later = await opened(server.port); // by when the forwarder has its own answer as well
    virtual.advance(500); // the stat's next try
    await there.arrived(1);
    later.terminate();
    silent.close();
  });

  test("S-39: what this process holds stays here", () => {
    const here = collecting();
    using forwarder = new Forwarder({
      clock,
      buckets,
      holders: { holder: () => ({ kind: "local" }) },
      local: here,
    });
    forwarder.send([message("one")]);
    expect(here.messages.length).toBe(1);
  });

  test("S-138: without a holder a stat is tried thirty times, half a second apart, then really dropped", async () => {
    const virtual = new VirtualClock();
    using forwarder = new Forwarder({
      clock: virtual,
      buckets,
      holders: { holder: () => undefined },
      local: collecting(),
    });
    forwarder.send([message()]);
    await virtual.advanceAsync(14_500);
    expect([forwarder.waiting, forwarder.dropped]).toEqual([1, 0]);
    await virtual.advanceAsync(500);
    expect([forwarder.waiting, forwarder.dropped]).toEqual([0, 1]);
    expect(virtual.pendingTimers).toBe(0);
  });

  test("S-138: one that gets a holder meanwhile is delivered", async () => {
    const virtual = new VirtualClock();
    const here = collecting();
    let isHeld = false;
    using forwarder = new Forwarder({
      clock: virtual,
      buckets,
      holders: { holder: () => (isHeld ? { kind: "local" } : undefined) },
      local: here,
    });
    forwarder.send([message()]);
    await virtual.advanceAsync(2_000);
    isHeld = true;
    await virtual.advanceAsync(500);
    expect(here.messages.length).toBe(1);
    forwarder.holderChanged(bucket);
  });

  test("S-139: a thousand wait at most, the oldest goes first", () => {
    using forwarder = new Forwarder({
      clock: new VirtualClock(),
      buckets,
      holders: { holder: () => undefined },
      local: collecting(),
    });
    forwarder.send(Array.from({ length: 1_003 }, () => message()));
    expect([forwarder.waiting, forwarder.dropped]).toEqual([1_000, 3]);
  });
});

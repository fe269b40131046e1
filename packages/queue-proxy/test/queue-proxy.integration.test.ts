import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { headers, type Logger, RealClock, RealRandom, silentLogger } from "@rouse/shared";
import { expect, test } from "vitest";
import { QueueProxy, type QueueProxyOptions } from "../src/index.ts";
import { call } from "./client.ts";
import { program } from "./program.ts";

function start(
  userPort: number,
  options: Partial<QueueProxyOptions> = {},
  log = silentLogger,
): Promise<QueueProxy> {
  return QueueProxy.start(
    { clock: new RealClock(), random: new RealRandom(), log },
    {
      ip: "127.0.0.1",
      port: 0,
      podName: "pod-1",
      revision: { namespace: "default", name: "hello-00001" },
      userPort,
      containerConcurrency: 0,
      timeoutMs: 300_000,
      responseStartTimeoutMs: 0,
      idleTimeoutMs: 0,
      drainQuietMs: 0,
      ...options,
    },
  );
}

test("a request reaches the program with the client's Host and without the platform's own fields", async () => {
  await using hello = await program((request, response) => response.end(JSON.stringify(request.headers)));
  await using proxy = await start(hello.port);
  const answer = await call(proxy.address, {
    headers: {
      Host: "10.0.0.1:8012",
      "K-Original-Host": "hello.example",
      "Knative-Serving-Revision": "hello-00001",
      "Knative-Serving-Namespace": "default",
      "K-Proxy-Request": "activator",
      "X-Forwarded-For": "192.0.2.7",
      "X-Forwarded-Proto": "https",
    },
  });
  const seen: Record<string, string> = JSON.parse(answer.body);
  expect(answer.status).toBe(200);
  expect(seen).toMatchObject({
    host: "hello.example",
    "k-proxy-request": "activator",
    "x-forwarded-for": "192.0.2.7, 127.0.0.1",
    forwarded: "for=192.0.2.7;proto=https",
  });
  expect(Object.keys(seen)).not.toContain("knative-serving-revision");
  expect(Object.keys(seen)).not.toContain("k-original-host");
  expect(proxy.takeStat()).toMatchObject({ podName: "pod-1", requestCount: 1, proxiedRequestCount: 1 });
});

test("Q-4: on all interfaces both stacks reach it, and IPv4 clients keep their address", async () => {
  await using hello = await program((request, response) => response.end(request.headers["x-forwarded-for"]));
  await using proxy = await start(hello.port, { ip: "::" });
  const { port } = proxy.address;
  expect((await call({ ip: "127.0.0.1", port })).body).toBe("127.0.0.1");
  if (proxy.address.ip === "::") expect((await call({ ip: "::1", port })).body).toBe("::1");
});

test("Q-47: a hundred at once and one place: all served, never two together", async () => {
  let running = 0;
  let most = 0;
  await using hello = await program((_, response) => {
    most = Math.max(most, ++running);
    setImmediate(() => {
      running--;
      response.end("hi");
    });
  });
  await using proxy = await start(hello.port, { containerConcurrency: 1 });
  // Ten times the place may wait beside the one that runs, so they come eleven at a time.
  const statuses: number[] = [];
  for (let left = 100; left > 0; left -= 11) {
    const batch = Array.from({ length: Math.min(11, left) }, () => call(proxy.address));
    statuses.push(...(await Promise.all(batch)).map(({ status }) => status));
  }
  expect(statuses.filter((status) => status === 200).length).toBe(100);
  expect([most, proxy.inFlight]).toEqual([1, 0]);
});

test("Q-43: of twelve at one place the last is told that the queue is full", async () => {
  const held: (() => void)[] = [];
  await using hello = await program((_, response) => held.push(() => response.end("hi")));
  await using proxy = await start(hello.port, { containerConcurrency: 1 });
  const calls = Array.from({ length: 12 }, () => call(proxy.address));
  const full = await Promise.race(calls);
  expect([full.status, full.body]).toEqual([503, "pending request queue full\n"]);
  let done = 0;
  for (const one of calls) void one.then(() => done++);
  while (done < 12) {
    for (const release of held.splice(0)) release();
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test("Q-39: a client that leaves frees its place and the program is told", async () => {
  const closed = Promise.withResolvers<void>();
  let requests = 0;
  await using hello = await program((request, response) => {
    requests++;
    if (request.url === "/slow") response.on("close", () => closed.resolve());
    else response.end("hi");
  });
  await using proxy = await start(hello.port, { containerConcurrency: 1 });
  const leave = new AbortController();
  const slow = call(proxy.address, { path: "/slow", signal: leave.signal });
  while (requests === 0) await new Promise((resolve) => setImmediate(resolve));
  const waiting = call(proxy.address);
  leave.abort();
  await expect(slow).rejects.toThrow();
  await closed.promise;
  expect((await waiting).status).toBe(200);
});

test("Q-19: health is the program's, by an open port", async () => {
  await using hello = await program((_, response) => response.end());
  await using proxy = await start(hello.port);
  const headers = { "User-Agent": "kube-probe/1.33", "K-Network-Probe": "queue" };
  const answer = await call(proxy.address, { headers });
  expect([answer.status, answer.body, answer.headers["content-type"]]).toEqual([
    200,
    "queue",
    "text/plain; charset=utf-8",
  ]);
  const wrong = await call(proxy.address, { headers: { ...headers, "K-Network-Probe": "activator" } });
  expect([wrong.status, wrong.body]).toEqual([400, "unexpected probe header value: activator\n"]);
  expect(wrong.headers["x-content-type-options"]).toBe("nosniff");
  expect(proxy.takeStat().requestCount).toBe(0);
});

test("Q-40: a program that does not listen gives 502 with the reason", async () => {
  const gone = await program(() => {});
  await gone[Symbol.asyncDispose]();
  await using proxy = await start(gone.port);
  const answer = await call(proxy.address);
  expect(answer.status).toBe(502);
  expect(answer.body).toContain("connection refused");
});

test("Q-58, Q-56: a silent program gives 504, exactly, and one line in the log", async () => {
  await using hello = await program(() => {});
  const warnings: string[] = [];
  const log: Logger = { ...silentLogger, warn: (text) => warnings.push(text), with: () => log };
  await using proxy = await start(hello.port, { timeoutMs: 20 }, log);
  const answer = await call(proxy.address);
  expect([answer.status, answer.body, answer.headers["content-length"]]).toEqual([
    504,
    "request timeout",
    "15",
  ]);
  expect(warnings).toEqual(["Request timeout: 20ms"]);
});

test("Q-36: bodies stream both ways, piece by piece", async () => {
  await using hello = await program((request, response) => {
    response.writeHead(200);
    request.on("data", (piece: Buffer) => response.write(`<${piece.toString()}>`));
    request.on("end", () => response.end());
  });
  await using proxy = await start(hello.port);
  const sent = request({ host: "127.0.0.1", port: proxy.address.port, method: "POST" });
  sent.write("one");
  const [response] = await once(sent, "response");
  expect(String((await once(response, "data"))[0])).toBe("<one>");
  sent.write("two");
  expect(String((await once(response, "data"))[0])).toBe("<two>");
  sent.end();
  response.resume();
  await once(response, "end");
});

test("Q-109: while draining, probes are refused, what runs is finished, then nothing listens", async () => {
  const held: (() => void)[] = [];
  await using hello = await program((_, response) => held.push(() => response.end("done")));
  await using proxy = await start(hello.port, { drainQuietMs: 50 });
  const running = call(proxy.address);
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const drained = proxy.drain();
  const probe = { "User-Agent": "Knative-Activator-Probe", "K-Network-Probe": "queue" };
  const answer = await call(proxy.address, { headers: probe });
  expect([answer.status, answer.body]).toEqual([503, "shutting down\n"]);
  for (const release of held.splice(0)) release();
  expect((await running).body).toBe("done");
  await drained;
  await expect(call(proxy.address)).rejects.toThrow("ECONNREFUSED");
});

test("Q-27, Q-37: nothing is added to what the client sent but the peer, and nothing guessed of the answer", async () => {
  await using hello = await program((request, response) => {
    response.sendDate = false;
    response.end(JSON.stringify(request.headers));
  });
  await using proxy = await start(hello.port);
  const answer = await call(proxy.address);
  const seen: Record<string, string> = JSON.parse(answer.body);
  expect(Object.keys(seen).sort()).toEqual(
    ["connection", "host", "x-forwarded-for"].filter((name) => name in seen),
  );
  expect(answer.headers["content-type"]).toBeUndefined();
  expect(answer.headers.date).toMatch(/GMT$/);
});

test("Q-49: one that is turned away is still an arrival", async () => {
  const held: (() => void)[] = [];
  await using hello = await program((_, response) => held.push(() => response.end("hi")));
  await using proxy = await start(hello.port, { containerConcurrency: 1 });
  const calls = Array.from({ length: 12 }, () => call(proxy.address));
  expect((await Promise.race(calls)).status).toBe(503);
  expect(proxy.takeStat()).toMatchObject({ requestCount: 12 });
  let done = 0;
  for (const one of calls) void one.then(() => done++);
  while (done < 12) {
    for (const release of held.splice(0)) release();
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test("Q-61, Q-18: the kubelet's own request has deadlines, and no place in the queue", async () => {
  await using hello = await program(() => {});
  await using proxy = await start(hello.port, { containerConcurrency: 1, timeoutMs: 50 });
  const waiting = call(proxy.address);
  const marked = await call(proxy.address, { headers: { "K-Kubelet-Probe": "queue" } });
  expect([marked.status, marked.body]).toEqual([504, "request timeout"]);
  expect((await waiting).status).toBe(504);
  expect(proxy.takeStat().requestCount).toBe(1);
});

test("a program that listens on [::1] alone is found there (E-20)", async () => {
  const server = createServer((_, response) => response.end("six"));
  await new Promise<void>((resolve) => server.listen(0, "::1", resolve));
  const address = server.address();
  await using proxy = await start(typeof address === "object" && address !== null ? address.port : 0);
  expect(await call(proxy.address, { method: "POST", body: "b" })).toMatchObject({
    status: 200,
    body: "six",
  });
  server.closeAllConnections();
  server.close();
});

/** A program that answers every upgrade and echoes; and a client in a tunnel through `proxy`. */
async function tunnel(proxy: QueueProxy): Promise<Socket> {
  const client = connect(proxy.address.port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  const [head] = await once(client, "data");
  expect(String(head)).toMatch(/^HTTP\/1\.1 101 /);
  return client;
}

test("Q-84, Q-86, Q-120: a tunnel has a place and counts for its whole life, and a drain leaves it alone", async () => {
  const server = createServer((_, response) => response.end("hi"));
  const upstreamClosed = Promise.withResolvers<void>();
  server.on("upgrade", (_, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    socket.on("data", (piece: Buffer) => socket.write(piece));
    socket.on("end", () => socket.end());
    socket.on("close", () => upstreamClosed.resolve());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await using proxy = await start(port, { containerConcurrency: 1 });
  const client = await tunnel(proxy);
  expect([proxy.queueDepth, proxy.inFlight]).toEqual([1, 1]);
  let isDrained = false;
  const drained = proxy.drain().then(() => {
    isDrained = true;
  });
  client.write("still here");
  expect(String((await once(client, "data"))[0])).toBe("still here");
  expect([isDrained, proxy.inFlight]).toEqual([false, 1]);
  client.end();
  await upstreamClosed.promise;
  await drained;
  expect(proxy.takeStat()).toMatchObject({ requestCount: 1 });
  client.destroy();
  server.close();
});

test("what the program was never given is marked for the activator, and no program can say so itself", async () => {
  const name = headers.notStarted.toLowerCase();
  const proxied = { [headers.proxyRequest]: "activator" };
  const held: (() => void)[] = [];
  await using hello = await program((request, response) => {
    if (request.url === "/held") held.push(() => response.end());
    else response.writeHead(503, { [headers.notStarted]: "true" }).end();
  });
  await using proxy = await start(hello.port, { containerConcurrency: 1 });
  const liar = await call(proxy.address, { headers: proxied });
  expect([liar.status, liar.headers[name]]).toEqual([503, undefined]);

  const inside = Array.from({ length: 11 }, () => call(proxy.address, { path: "/held" }));
  while (proxy.inFlight < 11) await new Promise((resolve) => setImmediate(resolve));
  for (const [sent, want] of [
    [proxied, "true"],
    [{}, undefined],
  ] as const) {
    const turnedAway = await call(proxy.address, { headers: sent });
    expect([turnedAway.status, turnedAway.headers[name]]).toEqual([503, want]);
  }
  const all = Promise.all(inside);
  for (let served = 0; served < 11; served++) {
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    held.shift()?.();
  }
  await all;

  const nobody = createServer();
  await new Promise<void>((resolve) => nobody.listen(0, "127.0.0.1", resolve));
  const address = nobody.address();
  const closedPort = typeof address === "object" && address !== null ? address.port : 0;
  await new Promise<void>((resolve) => nobody.close(() => resolve()));
  await using alone = await start(closedPort);
  const refused = await call(alone.address, { headers: proxied });
  expect([refused.status, refused.headers[name]]).toEqual([502, "true"]);
});

test("Q-77: an offer of h2c is answered by HTTP/1.1, and the program hears nothing of it", async () => {
  await using hello = await program((request, response) => response.end(JSON.stringify(request.headers)));
  await using proxy = await start(hello.port);
  const headers = {
    Connection: "Upgrade, HTTP2-Settings",
    Upgrade: "h2c",
    "HTTP2-Settings": "AAMAAABkAAQAAP__",
  };
  const answer = await call(proxy.address, { headers });
  expect(answer.status).toBe(200);
  expect(Object.keys(JSON.parse(answer.body))).not.toContain("http2-settings");
});

test("Q-79, Q-76: HTTP/2 is offered 250 streams and more, and no WebSocket over it", async () => {
  await using hello = await program((_, response) => response.end());
  await using proxy = await start(hello.port);
  const session = connectHttp2(`http://127.0.0.1:${proxy.address.port}`);
  const [settings] = await once(session, "remoteSettings");
  expect(settings.maxConcurrentStreams).toBeGreaterThanOrEqual(250);
  expect(settings.enableConnectProtocol).not.toBe(true);
  session.destroy();
});

test("Q-87: events of a stream are seen one by one, and keep the idle limit away", async () => {
  const sent: (() => void)[] = [];
  await using hello = await program((_, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
    sent.push(() => response.write("data: x\n\n"));
    sent.push(() => response.end());
  });
  await using proxy = await start(hello.port, { idleTimeoutMs: 5_000 });
  const asked = request({ host: "127.0.0.1", port: proxy.address.port });
  asked.end();
  const [response] = await once(asked, "response");
  sent[0]?.();
  expect(String((await once(response, "data"))[0])).toBe("data: x\n\n");
  sent[1]?.();
  response.resume();
  await once(response, "end");
});

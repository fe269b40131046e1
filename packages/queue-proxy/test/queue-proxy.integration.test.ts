import { once } from "node:events";
import { request } from "node:http";
import { type Logger, RealClock, RealRandom, silentLogger } from "@rouse/shared";
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

import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { encodeStat, RealClock, type Stat } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { HttpPodScraper, type HttpPodScraperOptions } from "../src/scrape/http-pod-scraper.ts";

const stat: Stat = {
  podName: "hello-00001-abc",
  averageConcurrentRequests: 2.5,
  averageProxiedConcurrentRequests: 1,
  requestCount: 30,
  proxiedRequestCount: 10,
  processUptime: 61.5,
  timestamp: 0,
};
const target = { namespace: "default", serviceName: "hello-private" };
const pod = (ip: string) => ({ namespace: "default", name: "hello-00001-abc", ip });
const answer =
  (status: number, type: string, body: Uint8Array): RequestListener =>
  (_, response) => {
    response.writeHead(status, { "Content-Type": type }).end(body);
  };
const good = answer(200, "application/protobuf", encodeStat(stat));

async function answering(listener: RequestListener, host = "127.0.0.1") {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    seen,
    scraper: (options: HttpPodScraperOptions = {}) =>
      new HttpPodScraper({ clock: new RealClock() }, { port: address.port, hostOf: () => host, ...options }),
    port: address.port,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

describe("S-43: asking a pod", () => {
  test("is one GET that accepts protobuf alone, and its answer a stat", async () => {
    await using server = await answering(good);
    using scraper = server.scraper();
    expect(await scraper.scrape(pod("127.0.0.1"), target)).toEqual(stat);
    expect(server.seen[0]).toMatchObject({ method: "GET", url: "/metrics" });
    expect(server.seen[0]?.headers.accept).toBe("application/protobuf");
  });

  test.each([
    { kind: "mesh", listener: answer(502, "text/plain", new Uint8Array()) },
    { kind: "mesh", listener: answer(503, "text/plain", new Uint8Array()) },
    { kind: "other", listener: answer(500, "text/plain", new Uint8Array()) },
    { kind: "other", listener: answer(404, "text/plain", new Uint8Array()) },
    { kind: "other", listener: answer(200, "application/protobuf; x=1", encodeStat(stat)) },
    { kind: "other", listener: answer(200, "text/plain", encodeStat(stat)) },
    { kind: "other", listener: answer(200, "application/protobuf", Buffer.from("hello")) },
    {
      kind: "other",
      listener: answer(200, "application/protobuf", encodeStat({ ...stat, podName: "x".repeat(400) })),
    },
    { kind: "other", listener: ((_, response) => response.destroy()) satisfies RequestListener },
  ])("fails as $kind, case %#", async ({ kind, listener }) => {
    await using server = await answering(listener);
    using scraper = server.scraper();
    await expect(scraper.scrape(pod("127.0.0.1"), target)).rejects.toMatchObject({
      name: "ScrapeFailure",
      kind,
    });
  });

  test("takes three seconds at most", async () => {
    let arrived: () => void = () => {};
    const hasArrived = new Promise<void>((resolve) => (arrived = resolve));
    await using server = await answering(() => arrived());
    const clock = new VirtualClock();
    using scraper = new HttpPodScraper({ clock }, { port: server.port });
    const scrape = scraper.scrape(pod("127.0.0.1"), target);
    await hasArrived;
    clock.advance(3_000);
    await expect(scrape).rejects.toMatchObject({ kind: "other" });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("S-44: connections", () => {
  test("to a pod are kept, to a Service they are new each time", async () => {
    await using server = await answering(good);
    using scraper = server.scraper();
    const ports = async (ask: () => Promise<unknown>): Promise<number> => {
      const from = server.seen.length;
      for (let time = 0; time < 3; time++) await ask();
      return new Set(server.seen.slice(from).map(({ socket }) => socket)).size;
    };
    expect(await ports(() => scraper.scrape(pod("127.0.0.1"), target))).toBe(1);
    expect(await ports(() => scraper.scrapeAny(target))).toBe(3);
  });

  test("to a pod with an IPv6 address work", async () => {
    await using server = await answering(good, "::1");
    using scraper = server.scraper();
    expect(await scraper.scrape(pod("::1"), target)).toEqual(stat);
    expect(server.seen[0]?.headers.host).toBe(`[::1]:${server.port}`);
  });
});

test("S-52: through a passthrough mesh the pod goes by its Service's name, with both headers", async () => {
  await using server = await answering(good);
  using scraper = server.scraper({ isPassthrough: true });
  await scraper.scrape(pod("127.0.0.1"), target);
  expect(server.seen[0]?.headers).toMatchObject({
    host: "hello-private.default",
    "knative-direct-lb": "true",
    "k-passthrough-lb": "true",
  });
});

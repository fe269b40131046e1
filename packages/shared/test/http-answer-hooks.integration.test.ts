import { constants } from "node:http2";
import { expect, test } from "vitest";
import { ProxyError } from "../src/errors/proxy-error.ts";
import type { Handler } from "../src/http/chain.ts";
import type { ExchangeObserver, ForwardFailure, ForwardFailureHandler } from "../src/http/exchange.ts";
import type { UpstreamPool } from "../src/http/upstream-pool.ts";
import { Hop, RawOrigin } from "./http-harness.ts";
import { Client, GRPC, Http2Origin } from "./http2-harness.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nServer: s\r\nDate: x\r\nContent-Length: 2\r\n\r\nok";
const NEVER_STARTED = "HTTP/1.1 503 Never\r\nX-Never-Started: 1\r\nDate: x\r\nContent-Length: 3\r\n\r\nno\n";

const lastMinute: ExchangeObserver<undefined> = {
  responseStarting: (exchange, status) => {
    exchange.addResponseHeader("Server-Timing", `first;desc="${status}"`);
    exchange.setResponseHeader("server", "rouse");
    exchange.removeResponseHeader("X-Gone");
  },
};

const observed =
  (handler: Handler<undefined>): Handler<undefined> =>
  (exchange) => {
    exchange.observe(lastMinute);
    handler(exchange);
  };

test("right before the final head goes out its fields may be added, replaced and removed; interim heads are left alone", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, { handler: (pool) => observed((it) => it.forward(pool)) });
  const client = await hop.connect();
  client.write(GET);
  const peer = await origin.peer(0);
  await peer.take("\r\n\r\n");
  peer.write("HTTP/1.1 103 Early Hints\r\nServer: s\r\n\r\n");
  expect(await client.take("\r\n\r\n")).toBe("HTTP/1.1 103 Early Hints\r\nServer: s\r\n\r\n");
  peer.write(OK.replace("Date", "x-gone: 1\r\nDate"));
  expect(await client.take("ok")).toBe(
    'HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\nServer-Timing: first;desc="200"\r\nserver: rouse\r\n\r\nok',
  );
});

test("the same for an answer of our own, and for a switch of protocols", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, {
    handler: (pool) =>
      observed((exchange) => {
        if (exchange.request.target === "/own") {
          exchange.respond({ status: 404, headers: { Server: "s", "X-Gone": "1" }, body: "no" });
        } else exchange.forward(pool);
      }),
  });
  const client = await hop.connect();
  client.write("GET /own HTTP/1.1\r\nHost: a\r\n\r\n");
  const own = await client.take("\r\n\r\nno");
  expect(own).toContain('Server-Timing: first;desc="404"\r\nserver: rouse\r\n');
  expect(own).not.toMatch(/Server: s|X-Gone/);
  client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  const peer = await origin.peer(0);
  await peer.take("\r\n\r\n");
  peer.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  expect(await client.take("\r\n\r\n")).toContain('Server-Timing: first;desc="101"\r\n');
});

test("the same over HTTP/2", async () => {
  await using origin = await Http2Origin.start((stream) => {
    stream.respond({ ":status": 200, server: "s", "x-gone": "1" });
    stream.end("ok");
  });
  await using hop = await Hop.start(origin, { handler: (pool) => observed((it) => it.forward(pool)) });
  using client = new Client(hop);
  const { headers, body } = await client.call({ ":path": "/" }, "").done();
  expect(body).toBe("ok");
  expect([headers.server, headers["server-timing"], headers["x-gone"]]).toEqual([
    "rouse",
    'first;desc="200"',
    undefined,
  ]);
});

test("Q-121: a layer may end a connection with an answer, before the server drains", async () => {
  await using origin = await RawOrigin.start((peer) => peer.write(OK));
  await using hop = await Hop.start(origin, {
    handler: (pool) => (exchange) => {
      exchange.observe({ responseStarting: (starting) => starting.closeAfterResponse() });
      if (exchange.request.target === "/own") exchange.respond({ status: 200 });
      else exchange.forward(pool);
    },
  });
  for (const target of ["/", "/own"]) {
    const client = await hop.connect();
    client.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.ended();
    expect(client.received).toContain("Connection: close\r\n");
  }
});

/** Takes answers with the marker for requests that never began, and tries once more. */
class SecondTry implements ForwardFailureHandler<undefined> {
  readonly failures: ForwardFailure[] = [];
  asked = 0;
  readonly #pool: UpstreamPool;

  constructor(pool: UpstreamPool) {
    this.#pool = pool;
  }

  answerArrived(
    ...[, answer]: Parameters<NonNullable<ForwardFailureHandler["answerArrived"]>>
  ): ProxyError | undefined {
    this.asked++;
    return answer.status === 503 && answer.has("X-Never-Started")
      ? new ProxyError("upstream-closed", "never started")
      : undefined;
  }

  forwardFailed(exchange: Parameters<Handler<undefined>>[0], failure: ForwardFailure): void {
    this.failures.push(failure);
    if (failure.isRetriable && this.failures.length === 1) exchange.forward(this.#pool, this);
    else exchange.fail(failure.error);
  }
}

async function secondTry(origin: { readonly ip: string; readonly port: number }) {
  const tries: SecondTry[] = [];
  const hop = await Hop.start(origin, {
    handler: (pool) => (exchange) => {
      const attempt = new SecondTry(pool);
      tries.push(attempt);
      exchange.forward(pool, attempt);
    },
  });
  return { hop, tries };
}

test("an answer may be discarded before the client sees anything of it, and the request goes elsewhere", async () => {
  let answers = 0;
  await using origin = await RawOrigin.start((peer) => peer.write(answers++ === 0 ? NEVER_STARTED : OK));
  const { hop, tries } = await secondTry(origin);
  await using _hop = hop;
  const client = await hop.connect();
  client.write(GET);
  expect(await client.take("ok")).toBe(OK);
  expect(tries[0]).toMatchObject({ asked: 2, failures: [{ isRetriable: true }] });
  expect(hop.started).toEqual([200]);
  await origin.peers[0]?.ended();
  expect(hop.pool.openCount).toBe(1);
  client.write(GET); // the client's connection goes on
  expect(await client.take("ok")).toBe(OK);
});

test("an answer that is discarded twice becomes the error it was discarded with", async () => {
  await using origin = await RawOrigin.start((peer) => peer.write(NEVER_STARTED));
  const { hop } = await secondTry(origin);
  await using _hop = hop;
  const client = await hop.connect();
  client.write(GET);
  expect(await client.take("never started\n")).toContain("HTTP/1.1 502 ");
});

test("once the body has begun to flow nobody is asked: the answer is relayed", async () => {
  await using origin = await RawOrigin.start();
  const { hop, tries } = await secondTry(origin);
  await using _hop = hop;
  const client = await hop.connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  const peer = await origin.peer(0);
  await peer.take("hi");
  peer.write(NEVER_STARTED);
  expect(await client.take("no\n")).toBe(NEVER_STARTED);
  expect(tries[0]).toMatchObject({ asked: 0, failures: [] });
});

test("a request whose client waits to be told to continue keeps its body for the second try", async () => {
  await using origin = await RawOrigin.start();
  const { hop } = await secondTry(origin);
  await using _hop = hop;
  const client = await hop.connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  const first = await origin.peer(0);
  await first.take("\r\n\r\n");
  first.write(NEVER_STARTED);
  const second = await origin.peer(1);
  await second.take("\r\n\r\n");
  second.write("HTTP/1.1 100 Continue\r\n\r\n");
  await client.take("\r\n\r\n");
  client.write("hi");
  await second.take("hi");
  second.write(OK);
  expect(await client.take("ok")).toBe(OK);
});

test("over HTTP/2 an answer may be discarded as well, and the body is left for the second try", async () => {
  await using origin = await Http2Origin.start((stream) => {
    if (origin.streams.length === 1) {
      stream.respond({ ":status": 503, "x-never-started": "1" }, { endStream: true });
      return;
    }
    stream.respond({ ":status": 200 });
    stream.pipe(stream);
  });
  const { hop, tries } = await secondTry(origin);
  await using _hop = hop;
  using client = new Client(hop);
  const call = client.call(GRPC);
  await call.responded;
  call.stream.end("late");
  expect(await call.done()).toMatchObject({ status: 200, body: "late" });
  expect(tries[0]?.failures).toMatchObject([{ isRetriable: true }]);
});

test("a stream that was refused unprocessed keeps its body for another attempt", async () => {
  await using origin = await Http2Origin.start((stream) => {
    if (origin.streams.length === 1) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    stream.respond({ ":status": 200 });
    stream.pipe(stream);
  });
  const { hop } = await secondTry(origin);
  await using _hop = hop;
  using client = new Client(hop);
  const call = client.call(GRPC);
  await call.responded;
  call.stream.end("late");
  expect(await call.done()).toMatchObject({ status: 200, body: "late" });
  expect(hop.exchanges[0]?.requestBodyBytes).toBe(4);
});

import { describe, expect, test } from "vitest";
import { VirtualClock } from "../src/clock/virtual-clock.ts";
import { ProxyError } from "../src/errors/proxy-error.ts";
import { Hop, RawOrigin } from "./http-harness.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nok";

test("a request goes on without hop-by-hop fields, with its client added, and the rest untouched (Q-22, Q-24, Q-26, Q-29, Q-30, E-23)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write(
    "GET //a/../b?c;d=%zz HTTP/1.1\r\nHost: svc\r\nConnection: keep-alive, X-Hop, X-Forwarded-Proto, K-Original-Host\r\nX-Hop: 1\r\n" +
      "Keep-Alive: 5\r\nProxy-Connection: x\r\nProxy-Authorization: y\r\nTE: trailers, gzip\r\nUpgrade: h2c\r\n" +
      "X-Forwarded-Proto: https\r\nx-forwarded-for: 9.9.9.9\r\nX-Forwarded-For: 8.8.8.8\r\nX-A: 1\r\nX-A: \xe9\r\n\r\n",
  );
  const peer = await origin.peer(0);
  expect(await peer.take("\r\n\r\n")).toBe(
    "GET //a/../b?c;d=%zz HTTP/1.1\r\nHost: svc\r\nX-Forwarded-Proto: https\r\nX-A: 1\r\nX-A: \xe9\r\nTe: trailers\r\n" +
      "X-Forwarded-For: 9.9.9.9, 8.8.8.8, 127.0.0.1\r\n\r\n",
  );
  peer.write(
    "HTTP/1.1 200 Fine\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a\r\n" +
      "Set-Cookie: b\r\nDate: x\r\nContent-Length: 2\r\n\r\nok",
  );
  expect(await client.take("\r\n\r\nok")).toBe(
    "HTTP/1.1 200 Fine\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nDate: x\r\nContent-Length: 2\r\n\r\nok",
  );
});

test("layers' edits replace, add and remove fields, and Host is one of them (Q-21, Q-22)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, {
    handler: (pool) => (exchange) => {
      exchange.setRequestHeader("Host", "real.example");
      exchange.setRequestHeader("X-A", "new");
      exchange.addRequestHeader("X-B", "2");
      exchange.removeRequestHeader("x-c");
      exchange.addResponseHeader("Server-Timing", "queue;dur=1");
      exchange.forward(pool);
    },
  });
  const client = await hop.connect();
  client.write("GET / HTTP/1.1\r\nHost: a\r\nx-a: old\r\nX-B: 1\r\nX-C: gone\r\n\r\n");
  const peer = await origin.peer(0);
  expect(await peer.take("\r\n\r\n")).toBe(
    "GET / HTTP/1.1\r\nX-B: 1\r\nHost: real.example\r\nX-Forwarded-For: 127.0.0.1\r\nX-A: new\r\nX-B: 2\r\n\r\n",
  );
  peer.write(OK);
  expect(await client.take("\r\n\r\nok")).toContain("Server-Timing: queue;dur=1\r\n");
});

test("pipelined requests are answered in order, on one upstream connection (Q-66)", async () => {
  await using origin = await RawOrigin.start((peer) => peer.write(OK));
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write(
    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
  );
  for (let n = 0; n < 3; n++) await client.take("\r\n\r\nok");
  expect(hop.ended.map(({ target }) => target)).toEqual(["/1", "/2", "/3"]);
  expect(origin.peers.length).toBe(1);
});

test("HEAD, 204 and 304 have no body, and the connection goes on (Q-71)", async () => {
  const answers = [
    "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 1000\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nDate: x\r\nContent-Length: 1000\r\n\r\n",
    OK,
  ];
  await using origin = await RawOrigin.start((peer) => peer.write(answers.shift() ?? ""));
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write(`HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${GET}${GET}${GET}`);
  expect(await client.take("Content-Length: 1000\r\n\r\n")).toContain("200 OK");
  expect(await client.take("\r\n\r\n")).toContain("204 No Content");
  expect(await client.take("Content-Length: 1000\r\n\r\n")).toContain("304 Not Modified");
  expect(await client.take("ok")).toContain("200 OK");
});

test("a client of HTTP/1.0 gets chunks taken apart and a close; the upstream gets 1.1 with a Host (Q-36, Q-66)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("GET / HTTP/1.0\r\n\r\n");
  const peer = await origin.peer(0);
  expect(await peer.take("\r\n\r\n")).toContain(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n`);
  peer.write(
    "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nT: u\r\n\r\n",
  );
  await client.ended();
  expect(client.received).toBe("HTTP/1.1 200 OK\r\nDate: x\r\nConnection: close\r\n\r\nabc");
});

test("a close-delimited answer becomes chunks, ended only by a clean close (Q-36, Q-38)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write(GET);
  const peer = await origin.peer(0);
  await peer.take("\r\n\r\n");
  peer.write("HTTP/1.0 200 OK\r\nDate: x\r\n\r\nabc");
  expect(await client.take("3\r\nabc\r\n")).toContain("Transfer-Encoding: chunked\r\n");
  peer.end();
  await client.take("0\r\n\r\n");
  client.write(GET);
  const next = await origin.peer(1);
  await next.take("\r\n\r\n");
  next.write("HTTP/1.0 200 OK\r\nDate: x\r\n\r\nabc");
  await client.take("3\r\nabc\r\n");
  next.reset();
  await client.ended();
  expect(client.received).toBe("");
  expect(hop.ended.map(({ outcome }) => outcome.kind)).toEqual(["completed", "aborted"]);
});

test("trailers travel both ways, announced or not; the chunks' extensions do not (Q-67, Q-68)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write(
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3;a=b\r\nabc\r\n0\r\nX-T: 1\r\nHost: b\r\n\r\n",
  );
  const peer = await origin.peer(0);
  expect(await peer.take("3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n")).toContain("Trailer: X-T\r\n");
  peer.write(
    "HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\nz\r\n0\r\nX-U: 2\r\n\r\n",
  );
  await client.take("\r\n\r\n1\r\nz\r\n0\r\nX-U: 2\r\n\r\n");
});

test("interim answers are relayed, and then the true status (Q-74, Q-75, E-1)", async () => {
  await using origin = await RawOrigin.start((peer) =>
    peer.write(
      `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 418 Teapot\r\nDate: x\r\nContent-Length: 0\r\n\r\n`,
    ),
  );
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write(GET);
  expect(await client.take("Content-Length: 0\r\n\r\n")).toBe(
    "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 418 Teapot\r\nDate: x\r\nContent-Length: 0\r\n\r\n",
  );
  expect(hop.started).toEqual([102, 103, 418]);
  expect(hop.ended[0]?.status).toBe(418);
});

describe("Expect: 100-continue (Q-72, Q-73)", () => {
  const EXPECT = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

  test("the upstream's 100 lets the body through, once", async () => {
    await using origin = await RawOrigin.start();
    await using hop = await Hop.start(origin);
    const client = await hop.connect();
    client.write(EXPECT);
    const peer = await origin.peer(0);
    expect(await peer.take("\r\n\r\n")).toContain("Expect: 100-continue\r\n");
    peer.write("HTTP/1.1 100 Continue\r\n\r\n");
    await client.take("HTTP/1.1 100 Continue\r\n\r\n");
    client.write("hello");
    await peer.take("hello");
    peer.write(OK);
    expect(await client.take("ok")).toBe(OK);
  });

  test("after a second without a word the client is told to go on, and a late 100 is not told twice", async () => {
    const clock = new VirtualClock();
    await using origin = await RawOrigin.start();
    await using hop = await Hop.start(origin, { clock });
    const client = await hop.connect();
    client.write(EXPECT);
    const peer = await origin.peer(0);
    await peer.take("\r\n\r\n");
    clock.advance(1_020);
    await client.take("HTTP/1.1 100 Continue\r\n\r\n");
    client.write("hello");
    await peer.take("hello");
    peer.write(`HTTP/1.1 100 Continue\r\n\r\n${OK}`);
    expect(await client.take("ok")).toBe(OK);
  });

  test("a final answer comes at once, and ends the connection, as nobody knows whether the body follows", async () => {
    await using origin = await RawOrigin.start();
    await using hop = await Hop.start(origin);
    const client = await hop.connect();
    client.write(EXPECT);
    const peer = await origin.peer(0);
    await peer.take("\r\n\r\n");
    peer.write("HTTP/1.1 413 Too Large\r\nDate: x\r\nContent-Length: 0\r\n\r\n");
    await client.ended();
    expect(client.received).toBe(
      "HTTP/1.1 413 Too Large\r\nDate: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
  });

  test("any other expectation is refused and not forwarded", async () => {
    await using origin = await RawOrigin.start();
    await using hop = await Hop.start(origin);
    const client = await hop.connect();
    client.write("GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n");
    await client.ended();
    expect(client.received).toMatch(/^HTTP\/1\.1 417 .*\r\nConnection: close\r\n/s);
    expect(origin.peers.length).toBe(0);
  });
});

test("an answer before the end of the request reaches the client while the request still flows (Q-69, Q-70, E-9)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
  const peer = await origin.peer(0);
  await peer.take("3\r\none\r\n");
  peer.write("HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nONE\r\n");
  await client.take("3\r\nONE\r\n");
  client.write("3\r\ntwo\r\n0\r\n\r\n");
  await peer.take("3\r\ntwo\r\n0\r\n\r\n");
  peer.write("3\r\nTWO\r\n0\r\n\r\n");
  await client.take("3\r\nTWO\r\n0\r\n\r\n");
  client.write(GET);
  await peer.take("GET / HTTP/1.1");
});

test("a whole answer before the end of the request: the rest is swallowed and the connection lives (Q §13, E-9)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  const peer = await origin.peer(0);
  await peer.take("hello");
  peer.write(OK);
  await client.take("\r\n\r\nok");
  await peer.ended(); // it still waited for the rest
  client.write(`world${GET}`);
  const next = await origin.peer(1);
  await next.take("GET / HTTP/1.1");
  next.write(OK);
  await client.take("\r\n\r\nok");
});

test("an upgrade becomes a tunnel: early bytes arrive, and each side may end on its own (Q-83, Q-85)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\nearly");
  const peer = await origin.peer(0);
  expect(await peer.take("\r\n\r\n")).toContain("Connection: Upgrade\r\nUpgrade: WebSocket\r\n");
  peer.write(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-A: b\r\n\r\nhello",
  );
  expect(await client.take("hello")).toContain("X-A: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  await peer.take("early");
  peer.end();
  await client.ended();
  client.write("still here");
  await peer.take("still here");
  client.end();
  await peer.ended();
  expect(hop.ended).toEqual([{ target: "/ws", status: 101, outcome: { kind: "completed" } }]);
});

test("a tunnel's client that ends lets the upstream finish, for a while (Q-85)", async () => {
  const clock = new VirtualClock();
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, { clock });
  for (const isPolite of [true, false]) {
    const client = await hop.connect();
    client.write("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    const peer = await origin.peer(isPolite ? 0 : 1);
    await peer.take("\r\n\r\n");
    peer.write("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    await client.take("\r\n\r\n");
    client.end();
    await peer.ended();
    peer.write("bye");
    await client.take("bye");
    if (isPolite) peer.end();
    else clock.advance(10_020);
    await client.ended();
    await peer.ended();
  }
  expect(hop.ended.map(({ outcome }) => outcome.kind)).toEqual(["completed", "completed"]);
});

test("an upstream that switches to something else, or unasked, gives 502 (Q §3.5)", async () => {
  await using origin = await RawOrigin.start((peer) =>
    peer.write("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: b\r\n\r\n"),
  );
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: a\r\n\r\n");
  expect(await client.take("requested\n")).toContain(
    'backend tried to switch protocol "b" when "a" was requested\n',
  );
  client.write(GET);
  expect(await client.take("requested\n")).toContain("HTTP/1.1 502 ");
});

test("a refused upstream is a 502 in the form of every text error (Q-34, Q-40)", async () => {
  const origin = await RawOrigin.start();
  const { ip, port } = origin;
  await origin[Symbol.asyncDispose]();
  await using hop = await Hop.start({ ip, port });
  const client = await hop.connect();
  client.write(GET);
  const text = await client.take("connection refused\n");
  const body = `dial tcp 127.0.0.1:${port}: connect: connection refused\n`;
  expect(text).toMatch(
    /^HTTP\/1\.1 502 Bad Gateway\r\nContent-Type: text\/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n/,
  );
  expect(text).toContain(`Content-Length: ${body.length}\r\n`);
  expect(text.endsWith(`\r\n\r\n${body}`)).toBe(true);
});

test.each([
  { text: "", want: "EOF\n", why: "closed without a word" },
  { text: "HTTP/1.1 200", want: "unexpected EOF\n", why: "closed inside its head" },
  { text: "HTTP/1.1 200 OK\nX: y\r\n\r\n", want: "malformed HTTP response: bare LF\n", why: "malformed" },
  {
    text: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    want: "malformed HTTP response: several Content-Length headers\n",
    why: "two lengths",
  },
])("an upstream that is $why gives 502 $want (Q-40)", async ({ text, want }) => {
  await using origin = await RawOrigin.start((peer) => {
    peer.write(text);
    peer.end();
  });
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  expect(await client.take(want)).toContain("HTTP/1.1 502 ");
});

test.each([
  { text: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", how: "too short" },
  {
    text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    how: "without its last chunk",
  },
  { text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX", how: "with bad chunks" },
])("an upstream's answer that is $how is never ended cleanly (Q-38)", async ({ text }) => {
  await using origin = await RawOrigin.start((peer) => {
    peer.write(text);
    peer.end();
  });
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write(GET);
  await client.ended();
  expect(client.received).toContain("abc");
  expect(client.received).not.toContain("0\r\n\r\n");
  expect(hop.ended[0]).toMatchObject({ status: 200, outcome: { kind: "aborted" } });
});

test("an aborted answer to an HTTP/1.0 client is a reset: its close would look like the end (Q-38)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("GET / HTTP/1.0\r\n\r\n");
  const peer = await origin.peer(0);
  await peer.take("\r\n\r\n");
  peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  await client.take("abc");
  peer.reset();
  await client.ended();
  expect([client.hasEnded, client.error]).toEqual([false, "ECONNRESET"]);
});

test("a client that leaves takes its upstream with it at once, whatever was under way (Q-39)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const before = ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"];
  for (const [index, text] of before.entries()) {
    for (const how of ["end", "reset"] as const) {
      const client = await hop.connect();
      client.write(GET);
      const peer = await origin.peer(2 * index + (how === "end" ? 0 : 1));
      await peer.take("\r\n\r\n");
      if (text !== "") {
        peer.write(text);
        await client.take("abc");
      }
      client[how]();
      await peer.ended();
    }
  }
  await hop.until(() => hop.ended.length === 4);
  expect(hop.ended.map(({ outcome }) => outcome.kind)).toEqual(Array(4).fill("client-closed"));
  expect(hop.server.exchangeCount).toBe(0);
});

test.each(["end", "reset"] as const)(
  "a held exchange whose client leaves by %s is over at once, body unread or not",
  async (how) => {
    await using origin = await RawOrigin.start();
    await using hop = await Hop.start(origin, { handler: () => () => {} });
    for (const body of ["", "x".repeat(50_000)]) {
      const client = await hop.connect();
      client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      await hop.until(() => hop.exchanges.length > hop.ended.length);
      client[how]();
      await hop.until(() => hop.exchanges.length === hop.ended.length);
    }
    expect(hop.ended.map(({ outcome }) => outcome.kind)).toEqual(["client-closed", "client-closed"]);
    for (const exchange of hop.exchanges) exchange.forward(hop.pool); // too late is not an error
    expect(origin.peers.length).toBe(0);
  },
);

test("a held exchange goes on later, with the body that was read ahead", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, { handler: () => () => {} });
  const client = await hop.connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  await hop.until(() => hop.exchanges.length === 1);
  hop.exchanges[0]?.forward(hop.pool);
  const peer = await origin.peer(0);
  await peer.take("hello");
  client.write("world");
  await peer.take("world");
  peer.write(OK);
  await client.take("\r\n\r\nok");
  expect(hop.exchanges[0]?.requestBodyBytes).toBe(10);
});

test("a dead pooled connection: what may be repeated is, once per connection; a POST is not (Q-35)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  const warm = async (index: number): Promise<void> => {
    client.write(GET);
    const peer = await origin.peer(index);
    await peer.take("\r\n\r\n");
    peer.write(OK);
    await client.take("\r\n\r\nok");
  };
  await warm(0);
  client.write(GET);
  const first = await origin.peer(0);
  await first.take("\r\n\r\n");
  first.end(); // after the request had gone out on it
  const second = await origin.peer(1);
  await second.take("\r\n\r\n");
  second.write(OK);
  await client.take("\r\n\r\nok");
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
  await second.take("\r\n\r\nx");
  second.end();
  expect(await client.take("EOF\n")).toContain("HTTP/1.1 502 ");
  expect(origin.peers.length).toBe(2);
});

test("an idle connection the upstream closes leaves the pool when the close arrives (Q-35, E-8)", async () => {
  await using origin = await RawOrigin.start((peer) => peer.write(OK));
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write(GET);
  await client.take("\r\n\r\nok");
  expect(hop.pool.idleCount).toBe(1);
  const peer = await origin.peer(0);
  peer.end();
  await peer.ended();
  expect([hop.pool.idleCount, hop.pool.openCount]).toEqual([0, 0]);
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
  await client.take("\r\n\r\nok");
});

test("bytes nobody asked for end an idle upstream connection", async () => {
  await using origin = await RawOrigin.start((peer) => peer.write(OK));
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write(GET);
  await client.take("\r\n\r\nok");
  const peer = await origin.peer(0);
  peer.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  await peer.ended();
  expect(hop.pool.idleCount).toBe(0);
});

test("idle upstream connections are closed after their time, or a second before the upstream's own (Q-32, E-8)", async () => {
  const clock = new VirtualClock();
  const answers = [OK, OK, OK.replace("Date: x", "Keep-Alive: timeout=5\r\nDate: x")];
  await using origin = await RawOrigin.start((peer) => peer.write(answers.shift() ?? ""));
  await using hop = await Hop.start(origin, { clock });
  const client = await hop.connect();
  client.write(GET);
  await client.take("\r\n\r\nok");
  clock.advance(89_000);
  client.write(GET);
  await client.take("\r\n\r\nok");
  expect(origin.peers.length).toBe(1);
  clock.advance(90_000);
  await (await origin.peer(0)).ended();
  client.write(GET);
  await client.take("\r\n\r\nok");
  clock.advance(4_000);
  await (await origin.peer(1)).ended();
  expect(hop.pool.openCount).toBe(0);
});

test("an answer of our own: a small unread body is swallowed, a large one closes the connection (Q §13)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, {
    handler: () => (exchange) =>
      exchange.fail(new ProxyError("queue-full", "pending request queue full", { retryAfterMs: 1_500 })),
  });
  const client = await hop.connect();
  client.write(`POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${"x".repeat(50_000)}`);
  const text = await client.take("pending request queue full\n");
  expect(text).toContain("HTTP/1.1 503 ");
  expect(text).toContain("Retry-After: 2\r\n");
  expect(text).not.toContain("Connection: close");
  client.write(`${"x".repeat(50_000)}POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\nx`);
  expect(await client.take("pending request queue full\n")).toContain("Connection: close\r\n");
  await client.ended();
});

test("a timeout before and after the head: 504 without a newline, or a cut (Q-58, Q-59, E-2)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const error = new ProxyError("request-timeout", "request timeout");
  const client = await hop.connect();
  client.write(GET);
  await (await origin.peer(0)).take("\r\n\r\n");
  hop.exchanges[0]?.fail(error);
  const text = await client.take("request timeout");
  expect(text).toContain("HTTP/1.1 504 ");
  expect(text).toContain("Content-Length: 15\r\n");
  expect(text).not.toContain("nosniff");
  await (await origin.peer(0)).ended();
  client.write(GET);
  const peer = await origin.peer(1);
  await peer.take("\r\n\r\n");
  peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  await client.take("abc");
  hop.exchanges[1]?.fail(error);
  await client.ended();
  expect(client.received).toBe("");
});

test("what is refused is answered and closed, and never forwarded (Q §13, Q-170)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  for (const [text, status] of [
    ["GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400"],
    ["GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501"],
    ["GET / HTTP/3.0\r\nHost: a\r\n\r\n", "505"],
    ["CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "502"],
    ["GET / HTTP/1.1\r\n\r\n", "400"],
  ] as const) {
    const client = await hop.connect();
    client.write(text + GET);
    await client.ended();
    expect(client.received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*\\r\\nConnection: close\\r\\n`, "s"));
    expect(client.received.match(/^HTTP/gm)?.length).toBe(1);
    client.end();
  }
  expect(origin.peers.length).toBe(0);
});

test("bad chunks in a body that is under way: 400, and the upstream does not see a whole request", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  const peer = await origin.peer(0);
  await peer.take("3\r\nabc\r\n");
  client.write("x\r\n");
  await client.ended();
  expect(client.received).toContain("400 Bad Request: invalid chunk size");
  await peer.ended();
  expect(peer.received).toBe("");
});

test("OPTIONS * is answered here (Q §3.5)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(await client.take("\r\n\r\n")).toContain("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
});

test("a head may take a minute and no longer; an idle connection is left alone (Q-64, Q-65)", async () => {
  const clock = new VirtualClock();
  await using origin = await RawOrigin.start((peer) => peer.write(OK));
  await using hop = await Hop.start(origin, { clock });
  const [silent, slow, idle] = [await hop.connect(), await hop.connect(), await hop.connect()];
  idle.write(GET);
  await idle.take("\r\n\r\nok");
  slow.write(`${GET}GET / HT`);
  await slow.take("\r\n\r\nok");
  clock.advance(60_020);
  await silent.ended();
  await slow.ended();
  clock.advance(3_600_000);
  idle.write(GET);
  await idle.take("\r\n\r\nok");
});

test("draining: idle connections close, running exchanges finish with Connection: close (Q-116)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const [idle, busy] = [await hop.connect(), await hop.connect()];
  busy.write(GET);
  const peer = await origin.peer(0);
  await peer.take("\r\n\r\n");
  let isDrained = false;
  const drained = hop.server.drain().then(() => {
    isDrained = true;
  });
  await idle.ended();
  expect(isDrained).toBe(false);
  peer.write(OK);
  expect(await busy.take("\r\n\r\nok")).toContain("Connection: close\r\n");
  await busy.ended();
  await drained;
});

test("a layer that throws kills its connection and nothing else (Q §13)", async () => {
  await using origin = await RawOrigin.start((peer) => peer.write(OK));
  await using hop = await Hop.start(origin, {
    handler: (pool) => (exchange) => {
      if (exchange.request.target === "/bug") throw new Error("bug");
      exchange.forward(pool);
    },
  });
  const [broken, other] = [await hop.connect(), await hop.connect()];
  broken.write("GET /bug HTTP/1.1\r\nHost: a\r\n\r\n");
  await broken.ended();
  other.write(GET);
  await other.take("\r\n\r\nok");
  expect(hop.ended.map(({ outcome }) => outcome.kind)).toEqual(["aborted", "completed"]);
});

test("raw non-ASCII bytes of a target go on percent-encoded (Q-24)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("GET /caf\xc3\xa9?\xff HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(await (await origin.peer(0)).take("\r\n")).toBe("GET /caf%C3%A9?%FF HTTP/1.1\r\n");
});

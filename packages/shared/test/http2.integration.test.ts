import { constants, type IncomingHttpHeaders } from "node:http2";
import { expect, test } from "vitest";
import { ProxyError } from "../src/errors/proxy-error.ts";
import { Hop, RawOrigin } from "./http-harness.ts";
import { Client, frame, GRPC, Http2Origin } from "./http2-harness.ts";

test("a unary call keeps its headers, its body and its unannounced trailers (Q-80)", async () => {
  await using origin = await Http2Origin.start((stream, headers) => {
    expect(headers).toMatchObject({ te: "trailers", "x-a": "1, 2", "x-forwarded-for": "127.0.0.1" });
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "set-cookie": ["a", "b"] },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "fine" }));
    stream.pipe(stream);
  });
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const call = client.call({ ...GRPC, "x-a": ["1", "2"] }, "hello");
  const answer = await call.done();
  expect(answer).toMatchObject({ status: 200, body: "hello", code: 0 });
  expect(answer.headers["set-cookie"]).toEqual(["a", "b"]);
  expect(answer.trailers).toMatchObject({ "grpc-status": "0", "grpc-message": "fine" });
  expect(hop.ended).toEqual([{ target: "/s/m", status: 200, outcome: { kind: "completed" } }]);
  expect(hop.exchanges[0]?.requestBodyBytes).toBe(5);
});

test("request trailers reach the upstream (A-108)", async () => {
  const seen = Promise.withResolvers<IncomingHttpHeaders>();
  await using origin = await Http2Origin.start((stream) => {
    stream.on("trailers", (trailers) => seen.resolve(trailers));
    stream.resume();
    stream.on("end", () => stream.respond({ ":status": 200 }, { endStream: true }));
  });
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const stream = client.session.request(GRPC, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-t": "1" }));
  stream.end("body");
  expect(await seen.promise).toMatchObject({ "x-t": "1" });
});

test("a trailers-only answer stays one header block (Q-80)", async () => {
  await using origin = await Http2Origin.start((stream) => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "grpc-status": "5" },
      { endStream: true },
    );
  });
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const answer = await client.call(GRPC, "x").done();
  expect(answer.headers["grpc-status"]).toBe("5");
  expect([answer.isHeaderBlockLast, answer.trailers]).toEqual([true, undefined]);
});

test("messages go both ways while both sides are open, and headers come before the first (Q-80)", async () => {
  await using origin = await Http2Origin.start((stream) => {
    stream.respond({ ":status": 200 });
    stream.on("data", (bytes: Buffer) => stream.write(`<${bytes.toString()}>`));
    stream.on("end", () => stream.end());
  });
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const call = client.call(GRPC);
  await call.responded;
  for (const message of ["one", "two", "three"]) {
    call.stream.write(message);
    await call.until(() => call.body.endsWith(`<${message}>`));
  }
  call.stream.end();
  expect((await call.done()).body).toBe("<one><two><three>");
});

test("interim answers are relayed before the true status (Q-74)", async () => {
  await using origin = await Http2Origin.start((stream) => {
    stream.additionalHeaders({ ":status": 103, link: "</a>" });
    stream.respond({ ":status": 404 }, { endStream: true });
  });
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const call = client.call({ ":path": "/" }, "");
  const interim: IncomingHttpHeaders[] = [];
  call.stream.on("headers", (headers) => interim.push(headers));
  expect((await call.done()).status).toBe(404);
  expect(interim.map((headers) => [headers[":status"], headers.link])).toEqual([[103, "</a>"]]);
  expect(hop.started).toEqual([103, 404]);
});

test("a client's cancel reaches the upstream as a reset, held or under way (Q-81)", async () => {
  const codes: (number | undefined)[] = [];
  const closed = Promise.withResolvers<void>();
  await using origin = await Http2Origin.start((stream) => {
    stream.on("close", () => {
      codes.push(stream.rstCode);
      closed.resolve();
    });
  });
  await using hop = await Hop.start(origin, {
    handler: (pool) => (exchange) => {
      if (exchange.request.target !== "/held") exchange.forward(pool);
    },
  });
  using client = new Client(hop);
  for (const path of ["/held", "/sent"]) {
    const before = hop.exchanges.length;
    const call = client.call({ ...GRPC, ":path": path });
    call.stream.write("x");
    await hop.until(() => hop.exchanges.length > before);
    if (path === "/sent") await origin.until(() => origin.streams.length === 1);
    call.stream.close(constants.NGHTTP2_CANCEL);
    await hop.until(() => hop.ended.length > before);
  }
  await closed.promise;
  expect(codes).toEqual([constants.NGHTTP2_CANCEL]);
  expect(hop.ended.map(({ outcome }) => outcome.kind)).toEqual(["client-closed", "client-closed"]);
});

test("an upstream's reset before the head is a 502, after it a reset, never a clean end (Q-81)", async () => {
  // Node's own server ends a stream before it resets it, so these frames are written by hand.
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const before = client.call({ ":path": "/before" }, "");
  const peer = await origin.peer(0);
  await peer.until(() => peer.received.length > 60);
  peer.write(frame(4, 0, 0, "") + frame(3, 0, 1, "\0\0\0\x02"));
  expect((await before.done()).status).toBe(502);
  peer.received = "";
  const after = client.call({ ":path": "/after" }, "");
  await hop.until(() => hop.exchanges.length === 2);
  await peer.until(() => peer.received.includes("\0\0\0\x03"));
  peer.write(frame(1, 4, 3, "\x88") + frame(0, 0, 3, "part") + frame(3, 0, 3, "\0\0\0\x02"));
  expect(await after.done()).toMatchObject({ status: 200, code: constants.NGHTTP2_INTERNAL_ERROR });
  expect(hop.ended.map(({ outcome }) => outcome.kind)).toEqual(["completed", "aborted"]);
});

test("an upstream that dies after its head resets the client's stream (Q-38)", async () => {
  await using origin = await Http2Origin.start((stream) => {
    stream.respond({ ":status": 200 });
    stream.write("part", () => stream.session?.destroy());
  });
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const answer = await client.call({ ":path": "/" }, "").done();
  expect(answer.status).toBe(200);
  expect(answer.code).not.toBe(0);
});

test("a whole answer before the end of the request ends cleanly (Q-81, RFC 9113 §8.1)", async () => {
  await using origin = await Http2Origin.start((stream) => {
    stream.respond({ ":status": 200 });
    stream.end("early");
  });
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const call = client.call(GRPC);
  call.stream.write("part of a request");
  expect(await call.done()).toMatchObject({ status: 200, body: "early", code: 0 });
  expect(hop.ended.map(({ outcome }) => outcome.kind)).toEqual(["completed"]);
});

test("errors of our own are plain HTTP: refused upstreams, an h1-only one, and what a layer says (Q-31, Q-82)", async () => {
  const gone = await RawOrigin.start();
  await gone[Symbol.asyncDispose]();
  await using refused = await Hop.start(gone);
  using first = new Client(refused);
  const answer = await first.call(GRPC, "x").done();
  expect(answer).toMatchObject({
    status: 502,
    body: `dial tcp 127.0.0.1:${gone.port}: connect: connection refused\n`,
  });
  expect(answer.headers["x-content-type-options"]).toBe("nosniff");

  await using old = await RawOrigin.start((peer) =>
    peer.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
  );
  await using mismatched = await Hop.start(old);
  using second = new Client(mismatched);
  expect(await second.call({ ":path": "/" }, "").done()).toMatchObject({
    status: 502,
    body: "the program does not speak HTTP/2\n",
  });

  await using own = await Hop.start(gone, {
    handler: () => (exchange) => exchange.fail(new ProxyError("request-timeout", "request timeout")),
  });
  using third = new Client(own);
  expect(await third.call({ ":path": "/" }, "").done()).toMatchObject({
    status: 504,
    body: "request timeout",
    code: 0,
  });
  expect(await third.call({ ":path": "/", ":method": "HEAD" }, "").done()).toMatchObject({
    status: 504,
    body: "",
  });
});

test("three hundred streams at once share few upstream connections, and each gets its own answer (Q-76, Q-32, Q-171)", async () => {
  const waiting: (() => void)[] = [];
  await using origin = await Http2Origin.start((stream, headers) => {
    waiting.push(() => {
      stream.respond({ ":status": 200 });
      stream.end(headers[":path"]);
    });
    if (waiting.length === 300) for (const answer of waiting) answer();
  });
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const calls = Array.from({ length: 300 }, (_, n) => client.call({ ":path": `/${n}` }, ""));
  const answers = await Promise.all(calls.map((call) => call.done()));
  expect(answers.map(({ body }) => body)).toEqual(calls.map((_, n) => `/${n}`));
  expect(origin.sessions.length).toBeLessThanOrEqual(4);
});

test("a slow reader holds the upstream back, and nothing is lost (flow control end to end)", async () => {
  const size = 32 * 1_048_576;
  let written = 0;
  await using origin = await Http2Origin.start((stream) => {
    stream.respond({ ":status": 200 });
    const piece = Buffer.alloc(65_536, "x");
    const write = (): void => {
      while (written < size) {
        written += piece.length;
        if (!stream.write(piece)) {
          stream.once("drain", write);
          return;
        }
      }
      stream.end();
    };
    write();
  });
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const stream = client.session.request({ ":path": "/" });
  await new Promise<void>((resolve) => stream.once("response", () => resolve()));
  stream.pause();
  // It settles when every buffer on the way is full: another exchange goes through after that.
  let before = -1;
  while (before !== written) {
    before = written;
    for (let round = 0; round < 5; round++) await client.call({ ":path": "/local" }, "").closed;
  }
  expect(written).toBeLessThan(12 * 1_048_576);
  let received = 0;
  stream.on("data", (bytes: Buffer) => {
    received += bytes.length;
  });
  stream.resume();
  await new Promise<void>((resolve) => stream.once("end", () => resolve()));
  expect(received).toBe(size);
}, 30_000);

test("draining says GOAWAY, finishes what runs and then closes (Q-121, E-11)", async () => {
  const finish = Promise.withResolvers<void>();
  await using origin = await Http2Origin.start((stream) => {
    void finish.promise.then(() => {
      stream.respond({ ":status": 200 });
      stream.end("done");
    });
  });
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const goneAway = new Promise<void>((resolve) => client.session.once("goaway", () => resolve()));
  const call = client.call({ ":path": "/" }, "");
  await origin.until(() => origin.streams.length === 1);
  const drained = hop.server.drain();
  await goneAway;
  finish.resolve();
  expect((await call.done()).body).toBe("done");
  await drained;
});

test("the same port speaks HTTP/1.1, and a preface may come in pieces", async () => {
  await using origin = await RawOrigin.start((peer) =>
    peer.write("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nok"),
  );
  await using hop = await Hop.start(origin);
  const old = await hop.connect();
  old.write("P");
  old.write("OST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  await old.take("\r\n\r\nok");
  const client = await hop.connect();
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
  for (const byte of preface) client.write(byte);
  await client.until(() => client.received.length >= 9);
  expect(client.received.charCodeAt(3)).toBe(4); // a SETTINGS frame
  const odd = await hop.connect();
  odd.write("PRI / HTTP/1.1\r\nHost: a\r\n\r\n");
  await odd.take("\r\n\r\nok"); // an ordinary, if unusual, method
});

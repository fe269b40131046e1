import { constants } from "node:http2";
import { expect, test } from "vitest";
import { ProxyError } from "../src/errors/proxy-error.ts";
import { CERTIFICATE_A as A, CERTIFICATE_B as B } from "../src/testing/certificates.ts";
import { Hop, RawOrigin } from "./http-harness.ts";
import { Client, frame, GRPC, Http2Origin } from "./http2-harness.ts";

const SETTINGS = frame(4, 0, 0, "");

test("an upstream is reached by HTTP/2 over TLS, and only one with the right certificate", async () => {
  await using origin = await Http2Origin.start((stream) => {
    stream.respond({ ":status": 200 });
    stream.end("secured");
  }, A);
  for (const ca of [A.cert, B.cert]) {
    const tls = () => ({ ca: [ca], serverName: "a.example" });
    await using hop = await Hop.start(origin, { pool: { tls } });
    using client = new Client(hop);
    const answer = await client.call({ ":path": "/" }, "").done();
    if (ca === A.cert) expect(answer).toMatchObject({ status: 200, body: "secured" });
    else expect(answer.status).toBe(502);
  }
});

test("an upstream that asks for our certificate gets it, and refuses without", async () => {
  await using origin = await Http2Origin.start(
    (stream) => {
      stream.respond({ ":status": 200 });
      stream.end("known");
    },
    { ...A, ca: B.cert },
  );
  for (const own of [B, {}]) {
    const tls = () => ({ ca: [A.cert], serverName: "a.example", ...own });
    await using hop = await Hop.start(origin, { pool: { tls } });
    using client = new Client(hop);
    const answer = await client.call({ ":path": "/" }, "").done();
    expect([answer.status, answer.body.slice(0, 5)]).toEqual(
      own === B ? [200, "known"] : [502, expect.any(String)],
    );
  }
});

test("a session that says GOAWAY finishes its streams and gets no more: the next goes to another (Q-32)", async () => {
  const waiting: (() => void)[] = [];
  await using origin = await Http2Origin.start((stream) => {
    const answer = (): void => {
      stream.respond({ ":status": 200 });
      stream.end("done");
    };
    if (origin.sessions.length > 1) answer();
    else waiting.push(answer);
  });
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const first = client.call({ ":path": "/" }, "");
  await origin.until(() => waiting.length === 1);
  origin.sessions[0]?.close();
  // The GOAWAY arrives before anything that is sent after it: one round trip on the same session.
  await new Promise<void>((resolve) => origin.sessions[0]?.ping(() => resolve()));
  expect((await client.call({ ":path": "/" }, "").done()).body).toBe("done");
  for (const answer of waiting) answer();
  expect((await first.done()).body).toBe("done");
  expect(origin.sessions.length).toBe(2);
});

test("a stream an upstream refuses or never saw may be sent elsewhere, one it worked on may not (A-102)", async () => {
  const failures: boolean[] = [];
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, {
    handler: (pool) => (exchange) =>
      exchange.forward(pool, {
        forwardFailed: (failed, { error, isRetriable }) => {
          failures.push(isRetriable);
          failed.fail(error);
        },
      }),
  });
  using client = new Client(hop);
  for (const [code, stream] of [
    [constants.NGHTTP2_REFUSED_STREAM, 1],
    [constants.NGHTTP2_PROTOCOL_ERROR, 3],
  ] as const) {
    const call = client.call({ ":path": "/" }, "");
    const peer = await origin.peer(0);
    await peer.until(() => peer.received.includes(`\x01\x05\0\0\0${String.fromCharCode(stream)}`));
    peer.write((stream === 1 ? SETTINGS : "") + frame(3, 0, stream, `\0\0\0${String.fromCharCode(code)}`));
    expect((await call.done()).status).toBe(502);
  }
  expect(failures).toEqual([true, false]);
});

test("an answer that may not be sent is a 502, and nothing worse: a status of 700, a field of one connection", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const literal = (name: string, value: string): string =>
    `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`;
  let stream = 1;
  for (const block of [literal(":status", "700"), `\x88${literal("te", "gzip")}`]) {
    const call = client.call({ ":path": "/" }, "");
    const peer = await origin.peer(0);
    await peer.until(() => peer.received.includes(`\x01\x05\0\0\0${String.fromCharCode(stream)}`));
    peer.write((stream === 1 ? SETTINGS : "") + frame(1, 5, stream, block));
    expect((await call.done()).status).toBe(502);
    stream += 2;
  }
});

test("fields repeated by either side stay repeated, also those that should come once (Q-30)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  using client = new Client(hop);
  const call = client.call({ ":path": "/" }, "");
  const peer = await origin.peer(0);
  await peer.until(() => peer.received.includes("\x01\x05\0\0\0\x01"));
  peer.write(SETTINGS + frame(1, 5, 1, `\x88${"\0\x04etag\x01a"}${"\0\x04etag\x01b"}`));
  expect(await call.done()).toMatchObject({ status: 200, code: 0 });
});

test("a gRPC stream whose deadline passes ends with status 4; anything else is cut (Q-59, E-2)", async () => {
  for (const type of ["application/grpc+proto", "text/plain"]) {
    const left = Promise.withResolvers<void>();
    await using origin = await Http2Origin.start((stream) => {
      stream.on("close", () => left.resolve());
      stream.respond({ ":status": 200, "content-type": type });
      stream.write("message");
    });
    await using hop = await Hop.start(origin);
    using client = new Client(hop);
    const call = client.call(GRPC, "x");
    await call.until(() => call.body === "message");
    hop.exchanges[0]?.abort(new ProxyError("request-timeout", "request timeout"));
    const answer = await call.done();
    expect(hop.ended.map(({ outcome }) => outcome.kind)).toEqual(["aborted"]);
    expect(answer.body).toBe("message");
    if (type === "text/plain") expect(answer.code).toBe(constants.NGHTTP2_INTERNAL_ERROR);
    else {
      expect(answer.code).toBe(constants.NGHTTP2_NO_ERROR);
      expect(answer.trailers).toMatchObject({ "grpc-status": "4", "grpc-message": "request timeout" });
    }
    await left.promise;
  }
});

test("a client that opens streams only to reset them is told to calm down and cut off, and others are served (CVE-2023-44487)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, {
    handler: () => (exchange) => {
      if (exchange.request.target !== "/") exchange.respond({ status: 200, body: "ok" });
    },
  });
  const rapid = await hop.connect();
  rapid.write(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${SETTINGS}`);
  let opened = 0;
  for (; opened < 20_000 && !rapid.isClosed && !rapid.hasEnded; opened++) {
    const id = opened * 2 + 1;
    rapid.write(
      frame(1, 5, id, "\x82\x86\x84\x01\x01a") +
        frame(3, 0, id, `\0\0\0${String.fromCharCode(constants.NGHTTP2_CANCEL)}`),
    );
    if (opened % 100 === 0) await new Promise<void>((resolve) => setImmediate(() => resolve()));
  }
  await rapid.ended();
  const GOAWAY = "\0\0\x08\x07\0\0\0\0\0";
  const said = rapid.received.slice(rapid.received.indexOf(GOAWAY) + GOAWAY.length);
  expect(said.charCodeAt(7)).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  expect(hop.exchanges.length).toBeLessThan(2_500);
  await hop.until(() => hop.ended.length === hop.exchanges.length);
  using other = new Client(hop);
  expect((await other.call({ ":path": "/local" }, "").done()).body).toBe("ok");
});

test("Q-78: a field of one connection is no part of a request in HTTP/2: its stream is reset, the session goes on", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, {
    handler: () => (exchange) => exchange.respond({ status: 200, body: exchange.request.target }),
  });
  const client = await hop.connect();
  client.write(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${SETTINGS}`);
  client.write(frame(1, 5, 1, "\x82\x86\x84\x01\x01a\x00\x0aconnection\x05close"));
  await client.take(frame(3, 0, 1, "\0\0\0\x01")); // RST_STREAM, PROTOCOL_ERROR
  client.write(frame(1, 5, 3, "\x82\x86\x84\x01\x01a"));
  await client.take(frame(0, 1, 3, "/"));
  expect(hop.exchanges.length).toBe(1);
});

import { createServer } from "node:http2";
import { expect, onTestFinished, test } from "vitest";
import { Hop, RawOrigin } from "./http-harness.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const MIB = 1_048_576;

test("Q-40: an upstream that resets its connection gives 502 with the words people search for", async () => {
  await using origin = await RawOrigin.start((peer) => peer.reset());
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  expect(await client.take("connection reset by peer\n")).toContain("HTTP/1.1 502 ");
});

test("Q-31: a program that speaks HTTP/2 alone is a 502 for a client of HTTP/1.1, and nothing is translated", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await using hop = await Hop.start({ ip: "127.0.0.1", port });
  const client = await hop.connect();
  client.write(GET);
  expect(await client.take("\n\r\n")).toContain("HTTP/1.1 502 ");
});

test("Q-39: a client that ends its side within its body is told nothing good, and its upstream is let go", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
  const peer = await origin.peer(0);
  await peer.take("half");
  client.end();
  await peer.ended();
  await client.ended();
  expect(client.received).not.toMatch(/HTTP\/1\.1 2/);
  expect(hop.ended.map(({ outcome }) => outcome.kind)).not.toContain("completed");
});

test("Q-83: an upgrade that is refused is an ordinary answer with its body, and the connection goes on", async () => {
  await using origin = await RawOrigin.start((peer) =>
    peer.write("HTTP/1.1 403 Forbidden\r\nDate: x\r\nContent-Length: 2\r\n\r\nno"),
  );
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: anything/1.0\r\n\r\n");
  expect(await client.take("\r\n\r\nno")).toContain("HTTP/1.1 403 Forbidden\r\n");
  client.write(GET);
  expect(await client.take("\r\n\r\nno")).toContain("HTTP/1.1 403 Forbidden\r\n");
  expect(origin.peers.length).toBe(1);
});

test("a switch to what is no protocol's name gives 502, and nobody is asked (Q §3.5)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: caf\xe9\r\n\r\n");
  const text = await client.take('client tried to switch to invalid protocol "');
  expect(text).toContain("HTTP/1.1 502 ");
  expect(origin.peers.length).toBe(0);
});

test("a request's head of more than a MiB is 431, and its connection ends; one of less goes on (Q §13)", async () => {
  await using origin = await RawOrigin.start((peer) =>
    peer.write("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nok"),
  );
  await using hop = await Hop.start(origin);
  const [long, tooLong] = [await hop.connect(), await hop.connect()];
  long.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(MIB - 100)}\r\n\r\n`);
  expect(await long.take("\r\n\r\nok")).toContain("HTTP/1.1 200 ");
  tooLong.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(MIB + 8_192)}\r\n\r\n`);
  await tooLong.ended();
  expect(tooLong.received).toMatch(/^HTTP\/1\.1 431 .*\r\nConnection: close\r\n/s);
});

test("an answer's head may be longer than Node would take, and of more than 10 MiB it is a 502 (Q §13)", async () => {
  for (const [bytes, status] of [
    [100_000, "200"],
    [10 * MIB + 8_192, "502"],
  ] as const) {
    await using origin = await RawOrigin.start((peer) =>
      peer.write(`HTTP/1.1 200 OK\r\nDate: x\r\nX: ${"x".repeat(bytes)}\r\nContent-Length: 0\r\n\r\n`),
    );
    await using hop = await Hop.start(origin);
    const client = await hop.connect();
    client.write(GET);
    expect((await client.take("\r\n\r\n")).slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
  }
});

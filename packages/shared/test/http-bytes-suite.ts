import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { BodyFramer } from "../src/http/h1/body-framer.ts";
import { SeededRandom } from "../src/random.ts";
import { Hop, RawOrigin, type RawPeer } from "./http-harness.ts";

const SEEDS = Array.from({ length: 12 }, (_, seed) => seed);
const CLIENTS = 16;
const REQUESTS = 8;
/** In all more than kernels take, each more than a read that is copied, and less than a socket may have unsent. */
const SLOW_PIECES = 400;
const SLOW_PIECE_BYTES = 30_011;
/** Several to a read, so that one is kept for later while the one before is being written. */
const CHUNK_BYTES = 7_001;
const HEAD_OF = {
  length: `Content-Length: ${SLOW_PIECES * SLOW_PIECE_BYTES}`,
  chunked: "Transfer-Encoding: chunked",
  tunnel: "Connection: Upgrade\r\nUpgrade: any",
} as const;

/**
 * Bytes of many connections on their way at once, held, cut, sent ahead and stopped at random: each arrives where it
 * belongs, as it was sent. What reads of clients go to may be one buffer for all of them, so anything kept too long shows.
 */
export function bytesSuite(): void {
  test.each(SEEDS)(
    "whatever goes on beside it, every head and body arrives as it was sent: seed %i",
    async (seed) => {
      const random = new SeededRandom(seed);
      await using origin = await DigestingOrigin.start(random);
      await using hop = await Hop.start(origin, {
        handler: (pool) => (exchange) => {
          const forward = (turns: number): void =>
            void (turns === 0 ? exchange.forward(pool) : setImmediate(() => forward(turns - 1)));
          forward(random.chance(0.5) ? 0 : random.integer(1, 30));
        },
      });
      await Promise.all(Array.from({ length: CLIENTS }, (_, n) => sendAndCompare(hop, random, n)));
      expect(hop.server.readAheadBytes).toBe(0);
    },
    30_000,
  );

  /** Reads that are smaller than what a socket may have unsent: the next one comes while the last is being written. */
  test.each(["length", "chunked", "tunnel"] as const)(
    "what an upstream is slow to take arrives as it was sent, in pieces of any size: %s",
    async (way) => {
      const random = new SeededRandom(1);
      await using origin = await RawOrigin.start();
      await using hop = await Hop.start(origin);
      const client = await hop.connect();
      client.write(`POST / HTTP/1.1\r\nHost: a\r\n${HEAD_OF[way]}\r\n\r\n`);
      const peer = await origin.peer(0);
      await peer.take("\r\n\r\n");
      if (way === "tunnel") {
        peer.write(`HTTP/1.1 101 Switching Protocols\r\n${HEAD_OF.tunnel}\r\n\r\n`);
        await client.take("\r\n\r\n");
      }
      peer.socket.removeAllListeners("data");
      peer.socket.pause();
      const sent = createHash("sha1");
      const other = await hop.connect();
      for (let piece = 0; piece < SLOW_PIECES; piece++) {
        const bytes = randomBytes(random, SLOW_PIECE_BYTES);
        sent.update(bytes);
        client.socket.write(way === "chunked" ? chunked(bytes, () => CHUNK_BYTES) : bytes);
        await roundTrip(other);
      }
      const arrived = await digestOf(peer, SLOW_PIECES * SLOW_PIECE_BYTES, { isChunked: way === "chunked" });
      expect(arrived).toBe(sent.digest("hex"));
    },
    30_000,
  );

  test("a body that is still being written when its answer comes is not read over by the next one", async () => {
    const random = new SeededRandom(1);
    await using origin = await RawOrigin.start();
    await using hop = await Hop.start(origin);
    const [client, other, third] = [await hop.connect(), await hop.connect(), await hop.connect()];
    client.write(`POST / HTTP/1.1\r\nHost: a\r\n${HEAD_OF.length}\r\n\r\n`);
    const slow = await origin.peer(0);
    await slow.take("\r\n\r\n");
    slow.socket.removeAllListeners("data");
    slow.socket.pause();
    const body = randomBytes(random, SLOW_PIECES * SLOW_PIECE_BYTES);
    client.socket.write(body);
    const received: Buffer[] = [];
    const take = (): void => {
      const read: Buffer | null = slow.socket.read();
      if (read !== null) received.push(read);
    };
    // No more than it takes for the hop to have read all: the end of it has not left the hop.
    for (; hop.exchanges[0]?.requestBodyBytes !== body.length; take()) await roundTrip(other);
    slow.write("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 0\r\n\r\n");
    await client.take("\r\n\r\n");
    other.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"); // takes the connection the answer came on
    await hop.until(() => hop.exchanges.length === 2);
    client.write(`POST / HTTP/1.1\r\nHost: a\r\n${HEAD_OF.length}\r\n\r\n`);
    await origin.peer(1);
    for (let at = 0; at < 20 * SLOW_PIECE_BYTES; at += SLOW_PIECE_BYTES) {
      client.socket.write(body.subarray(at, at + SLOW_PIECE_BYTES));
      await roundTrip(third);
    }
    for (; received.reduce((sum, { length }) => sum + length, 0) < body.length; take())
      await roundTrip(third);
    expect(sha1(Buffer.concat(received).subarray(0, body.length))).toBe(sha1(body));
  }, 30_000);

  test("the head of a held request is not read over, wherever it came to lie", async () => {
    await using origin = await RawOrigin.start();
    const held: (() => void)[] = [];
    await using hop = await Hop.start(origin, {
      handler: (pool) => (exchange) =>
        void (exchange.request.target === "/held"
          ? held.push(() => exchange.forward(pool))
          : exchange.forward(pool)),
    });
    const [client, other, third] = [await hop.connect(), await hop.connect(), await hop.connect()];
    const body = "b".repeat(200_000);
    const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`;
    client.write(head);
    const first = await origin.peer(0);
    for (let at = 30_000; at < body.length; at += 34_000) {
      client.write(body.slice(at, at + 34_000));
      await roundTrip(third);
    }
    await first.until(() => first.received.length > 170_000);
    first.write("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 0\r\n\r\n"); // before the body has ended
    await client.take("\r\n\r\n");
    client.write(`${body.slice(0, 30_000)}GET /held HTTP/1.1\r\nHost: a\r\nX-Check: whole\r\n\r\n`);
    await hop.until(() => held.length === 1);
    other.write(head);
    for (let at = 0; at < body.length; at += 60_000) {
      other.write(body.slice(at, at + 60_000));
      await roundTrip(third);
    }
    held[0]?.();
    const second = await origin.peer(2);
    expect(await second.take("\r\n\r\n")).toMatch(/^GET \/held HTTP\/1\.1\r\n.*X-Check: whole\r\n/s);
  });
}

/** Afterwards the hop has read and answered what had reached it before. */
async function roundTrip(peer: RawPeer): Promise<void> {
  peer.write("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  await peer.take("\r\n\r\n");
}

/** Some requests on one connection, one behind the other or all ahead of their answers. */
async function sendAndCompare(hop: Hop, random: SeededRandom, n: number): Promise<void> {
  const client = await hop.connect();
  const isPipelined = random.chance(0.5);
  const expected: string[] = [];
  for (let number = 0; number < REQUESTS; number++) {
    const check = randomText(random, random.integer(1, 300));
    const body = randomBytes(random, sizeOf(random));
    await writeInPieces(client, random, requestOf({ check, id: `${n}-${number}` }, body, random));
    expected.push(`<${n}-${number} ${check} ${sha1(body)}>`);
    if (!isPipelined) await client.until(() => isOver(client, expected.length));
  }
  await client.until(() => isOver(client, REQUESTS));
  expect(client.received.match(/<[^>]*>/g)).toEqual(expected);
  client.end();
}

/** So many answers are there, or one that says that something went wrong. */
function isOver(client: RawPeer, answers: number): boolean {
  const isRefused = /HTTP\/1\.1 [^2]/.test(client.received);
  return client.received.split(">").length - 1 === answers || isRefused || client.isClosed;
}

function sizeOf(random: SeededRandom): number {
  const [min, max] = [
    [0, 0],
    [1, 200],
    [3_900, 4_200],
    [10_000, 70_000],
    [100_000, 500_000],
  ][random.integer(0, 4)] ?? [0, 0];
  return random.integer(min ?? 0, max ?? 0);
}

function requestOf(
  { check, id }: { readonly check: string; readonly id: string },
  body: Buffer,
  random: SeededRandom,
): Buffer {
  const head = `POST / HTTP/1.1\r\nHost: a\r\nX-Check: ${check}\r\nX-Id: ${id}\r\n`;
  if (random.chance(0.5))
    return Buffer.concat([Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n`), body]);
  const sizes = (): number => random.integer(1, random.chance(0.3) ? 100_000 : 5_000);
  const rest = Buffer.from("0\r\n\r\n");
  return Buffer.concat([
    Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`),
    chunked(body, sizes),
    rest,
  ]);
}

function chunked(body: Buffer, nextSize: () => number): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const chunk = body.subarray(at, at + nextSize());
    pieces.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"));
    at += chunk.length;
  }
  return Buffer.concat(pieces);
}

async function writeInPieces({ socket }: RawPeer, random: SeededRandom, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + random.integer(1, random.chance(0.8) ? 500_000 : 2_000));
    at += piece.length;
    if (!socket.write(piece)) await new Promise<void>((resolve) => socket.once("drain", () => resolve()));
    if (random.chance(0.2)) await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** Answers each request with what it says of itself and the digest of its body, which it reads with stops. */
class DigestingOrigin implements AsyncDisposable {
  readonly ip = "127.0.0.1";
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(random: SeededRandom): Promise<DigestingOrigin> {
    const server = createServer((request, response) => void digest(request, response, random));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return new DigestingOrigin(server, address.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

async function digest(
  request: IncomingMessage,
  response: ServerResponse,
  random: SeededRandom,
): Promise<void> {
  const hash = createHash("sha1");
  for await (const bytes of request) {
    hash.update(bytes);
    for (let turns = random.chance(0.3) ? random.integer(1, 20) : 0; turns > 0; turns--)
      await new Promise<void>((resolve) => setImmediate(resolve));
  }
  response.end(`<${request.headers["x-id"]} ${request.headers["x-check"]} ${hash.digest("hex")}>`);
}

/** Of the next so many bytes of a body a peer gets. */
async function digestOf(
  { socket }: RawPeer,
  bodyBytes: number,
  { isChunked }: { readonly isChunked: boolean },
): Promise<string> {
  const hash = createHash("sha1");
  const framer = new BodyFramer();
  framer.start(isChunked ? "chunked" : "length", bodyBytes);
  let taken = 0;
  for await (const read of socket.iterator({ destroyOnReturn: false })) {
    for (let at = 0; framer.read(read, at, read.length) === "data"; at = framer.to) {
      hash.update(read.subarray(framer.dataFrom, framer.dataTo));
      taken += framer.dataTo - framer.dataFrom;
    }
    if (taken >= bodyBytes) break;
  }
  return hash.digest("hex");
}

function randomBytes(random: SeededRandom, count: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(count);
  for (let at = 0; at < count; at++) bytes[at] = random.integer(0, 255);
  return bytes;
}

function randomText(random: SeededRandom, length: number): string {
  return Array.from({ length }, () => random.integer(0, 35).toString(36)).join("");
}

function sha1(bytes: Buffer): string {
  return createHash("sha1").update(bytes).digest("hex");
}

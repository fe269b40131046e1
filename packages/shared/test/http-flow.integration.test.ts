import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { SeededRandom } from "../src/random.ts";
import { Hop, RawOrigin, type RawPeer, settled } from "./http-harness.ts";

const MIB = 1_048_576;
/** What may be on the way when a reader stops: socket buffers of four kernels' ends, and ours. */
const ON_THE_WAY_MAX = 24 * MIB;

test.each(["length", "chunked"] as const)(
  "a slow reader of a large answer holds the upstream back, and every byte arrives (%s)",
  async (framing) => {
    await using origin = await RawOrigin.start();
    await using hop = await Hop.start(origin);
    const client = await hop.connect();
    const body = randomBody(64 * MIB);
    client.socket.removeAllListeners("data");
    client.socket.pause();
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const peer = await origin.peer(0);
    await peer.take("\r\n\r\n");
    const written = send(peer, body, framing, "HTTP/1.1 200 OK\r\nDate: x\r\n");
    await settled(() => peer.socket.bytesWritten - peer.socket.writableLength, hop);
    expect(peer.socket.bytesWritten).toBeLessThan(ON_THE_WAY_MAX);
    const received = collect(client, (bytes) => bytes.length >= body.length);
    client.socket.resume();
    await written;
    const text = await received;
    const answer = framing === "length" ? text.subarray(text.indexOf("\r\n\r\n") + 4) : unchunked(text);
    expect(hashOf(answer)).toBe(hashOf(body));
  },
  30_000,
);

test.each(["length", "chunked"] as const)(
  "a slow upstream holds a large request back, and every byte arrives (%s)",
  async (framing) => {
    await using origin = await RawOrigin.start();
    await using hop = await Hop.start(origin);
    const client = await hop.connect();
    const body = randomBody(64 * MIB);
    const written = send(client, body, framing, "POST / HTTP/1.1\r\nHost: a\r\n");
    const peer = await origin.peer(0);
    peer.socket.removeAllListeners("data");
    peer.socket.pause();
    await settled(() => client.socket.bytesWritten - client.socket.writableLength, hop);
    expect(client.socket.bytesWritten).toBeLessThan(ON_THE_WAY_MAX);
    const received = collect(peer, (bytes) => bytes.length >= body.length);
    peer.socket.resume();
    await written;
    const text = await received;
    const whole = Buffer.concat([Buffer.from(peer.received, "latin1"), text]);
    const request = framing === "length" ? whole.subarray(whole.indexOf("\r\n\r\n") + 4) : unchunked(whole);
    expect(hashOf(request)).toBe(hashOf(body));
    expect(hop.exchanges[0]?.requestBodyBytes).toBe(body.length);
  },
  30_000,
);

test("held exchanges keep what was read ahead of them within its bounds", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, {
    handler: () => () => {},
    server: { readAheadTotalBytesMax: 300_000 },
  });
  const size = 20 * MIB;
  for (let n = 0; n < 8; n++) {
    const client = await hop.connect();
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    client.socket.write(Buffer.alloc(size));
  }
  await hop.until(() => hop.exchanges.length === 8);
  const other = await hop.connect();
  for (let round = 0; round < 20; round++) {
    other.write("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    await other.take("\r\n\r\n");
  }
  // Each connection stops at 64 KiB, or with the read that went over the bound of all.
  expect(hop.server.readAheadBytes).toBeGreaterThan(100_000);
  expect(hop.server.readAheadBytes).toBeLessThan(300_000 + 8 * 65_536);
});

test("held exchanges are freed when their clients leave (structure; figures are in the bench)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, { handler: () => () => {} });
  const count = 400; // file descriptors are bounded where tests run
  const clients: RawPeer[] = [];
  for (let n = 0; n < count; n++) {
    const client = await hop.connect();
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    clients.push(client);
  }
  await hop.until(() => hop.exchanges.length === count);
  expect([hop.server.exchangeCount, hop.server.readAheadBytes]).toEqual([count, 0]);
  for (const client of clients) client.end();
  await hop.until(() => hop.ended.length === count);
  expect(hop.server.exchangeCount).toBe(0);
});

const SEEDS = Array.from({ length: 25 }, (_, seed) => seed);

/**
 * Peers that half-close, stall, reset, answer early, late, wrongly or not at all, at random. Whatever they do, each
 * exchange ends exactly once, nothing stays behind, and no client is given another's answer.
 */
test.each(SEEDS)(
  "whatever peers do, each exchange ends once and nothing is left: seed %i",
  async (seed) => {
    const random = new SeededRandom(seed);
    await using origin = await RawOrigin.start();
    await using hop = await Hop.start(origin);
    const misbehaving = serveBadly(origin, random);
    const clients = Array.from({ length: 12 }, (_, n) => behaveBadly(hop, random, n));
    await Promise.all(clients);
    await hop.until(() => hop.ended.length === hop.exchanges.length);
    misbehaving.stop();
    expect(hop.server.exchangeCount).toBe(0);
    expect(hop.pool.openCount).toBeGreaterThanOrEqual(hop.pool.idleCount);
    await hop.server.close();
    expect([hop.server.connectionCount, hop.server.exchangeCount, hop.server.readAheadBytes]).toEqual([
      0, 0, 0,
    ]);
  },
  30_000,
);

/** One client: a few requests on a connection, then some way of leaving. */
async function behaveBadly(hop: Hop, random: SeededRandom, n: number): Promise<void> {
  const client = await hop.connect();
  for (let request = random.integer(1, 4); request > 0 && !client.isClosed && !client.hasEnded; request--) {
    const id = `${n}-${request}-${random.integer(0, 999_999)}`;
    const body = "b".repeat(random.integer(0, random.chance(0.2) ? 200_000 : 200));
    const isChunked = random.chance(0.3);
    const framing = isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`;
    const text =
      isChunked && body !== ""
        ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
        : isChunked
          ? "0\r\n\r\n"
          : body;
    const whole = `POST /${id} HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${text}`;
    const cut = random.chance(0.25) ? random.integer(1, whole.length) : whole.length;
    client.write(whole.slice(0, cut));
    if (cut < whole.length) {
      if (random.chance(0.5)) break;
      client.write(random.chance(0.5) ? whole.slice(cut) : "\0garbage\r\n\r\n");
    }
    if (random.chance(0.2)) break; // leaves without waiting
    await client.until(() => isAnswered(client) || client.hasEnded || client.isClosed);
    // An answer of the upstream names its request: never someone else's.
    const named = /^X-Id: (\S+)\r$/m.exec(client.received)?.[1];
    if (named !== undefined) expect(named).toBe(`/${id}`);
    client.received = "";
    if (cut < whole.length) break; // what it sends now would be taken for the rest of that body
  }
  if (random.chance(0.5)) client.end();
  else client.reset();
}

function isAnswered(client: RawPeer): boolean {
  return client.received.includes("\r\n\r\n") && /done$|\r\n0\r\n\r\n$|[^\r]\n$/.test(client.received);
}

/** An upstream that answers each request in a way of its own, without looking at bodies. */
function serveBadly(origin: RawOrigin, random: SeededRandom): { stop(): void } {
  let isStopped = false;
  const serve = async (peer: RawPeer): Promise<void> => {
    while (!isStopped && !peer.isClosed) {
      await peer.until(
        () => /POST \S+ HTTP.*\r\n\r\n/s.test(peer.received) || peer.isClosed || peer.hasEnded,
      );
      const id = /POST (\S+) HTTP/.exec(peer.received)?.[1];
      if (id === undefined) return;
      peer.received = "";
      const head = `HTTP/1.1 200 OK\r\nX-Id: ${id}\r\n`;
      switch (random.integer(0, 9)) {
        case 0:
          peer.reset();
          return;
        case 1:
          peer.end();
          return;
        case 2:
          peer.write(head);
          peer.end();
          return;
        case 3:
          peer.write(`${head}Content-Length: 100\r\n\r\nshort`);
          peer.end();
          return;
        case 4:
          peer.write(`${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`);
          break;
        case 5:
          peer.write(
            `HTTP/1.1 100 Continue\r\n\r\n${head}Transfer-Encoding: chunked\r\n\r\n4\r\ndone\r\n0\r\n\r\n`,
          );
          break;
        case 6:
          peer.write(`${head}Transfer-Encoding: chunked\r\n\r\n4\r\ndone\r\nzz`);
          break;
        case 7:
          peer.write(`${head}Content-Length: 4\r\nConnection: close\r\n\r\ndone`);
          peer.end();
          return;
        default:
          peer.write(`${head}Content-Length: 4\r\n\r\ndone`);
      }
    }
  };
  const watch = async (): Promise<void> => {
    for (let index = 0; !isStopped; index++) void serve(await origin.peer(index));
  };
  void watch();
  return {
    stop: () => {
      isStopped = true;
    },
  };
}

/** Sends a message in pieces, as its reader allows. */
async function send(peer: RawPeer, body: Buffer, framing: "length" | "chunked", head: string): Promise<void> {
  const { socket } = peer;
  socket.write(
    `${head}${framing === "length" ? `Content-Length: ${body.length}` : "Transfer-Encoding: chunked"}\r\n\r\n`,
  );
  const step = 100_003;
  for (let from = 0; from < body.length; from += step) {
    const piece = body.subarray(from, from + step);
    if (framing === "chunked") socket.write(`${piece.length.toString(16)}\r\n`);
    const goesOn = socket.write(piece);
    if (framing === "chunked") socket.write("\r\n");
    if (!goesOn) await new Promise<void>((resolve) => socket.once("drain", () => resolve()));
  }
  if (framing === "chunked") socket.write("0\r\n\r\n");
}

async function collect(peer: RawPeer, isEnough: (soFar: { length: number }) => boolean): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  await new Promise<void>((resolve) => {
    peer.socket.on("data", (bytes) => {
      pieces.push(bytes);
      length += bytes.length;
      const end = bytes.subarray(-5).toString("latin1");
      if (isEnough({ length }) && (end === "0\r\n\r\n" || !pieces[0]?.includes("chunked"))) resolve();
    });
  });
  return Buffer.concat(pieces);
}

function unchunked(message: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = message.indexOf("\r\n\r\n") + 4; ; ) {
    const lineTo = message.indexOf("\r\n", at);
    const size = Number.parseInt(message.toString("latin1", at, lineTo), 16);
    if (size === 0) return Buffer.concat(pieces);
    pieces.push(message.subarray(lineTo + 2, lineTo + 2 + size));
    at = lineTo + 2 + size + 2;
  }
}

function randomBody(bytes: number): Buffer {
  const body = Buffer.allocUnsafe(bytes);
  const random = new SeededRandom(bytes);
  for (let at = 0; at < bytes; at += 4) body.writeUInt32LE(Math.floor(random.next() * 2 ** 32), at);
  return body;
}

function hashOf(bytes: Buffer): string {
  return createHash("sha1").update(bytes).digest("hex");
}

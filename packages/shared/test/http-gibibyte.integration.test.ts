import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { SeededRandom } from "../src/random.ts";
import { Hop, RawOrigin, settled } from "./http-harness.ts";

const MIB = 1_048_576;
const PIECES = 1_024;
/** The reader stops after so much, until the sender has stopped as well. */
const STOP_EVERY = 128 * MIB;
/** What may be on the way when a reader stops: socket buffers of four kernels' ends, and ours. */
const ON_THE_WAY_MAX = 24 * MIB;

test("1 GiB goes to a slow client, never more on the way than buffers hold", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const peer = await origin.peer(0);
  await peer.take("\r\n\r\n");
  await passes(hop, { from: peer.socket, to: client.socket, head: "HTTP/1.1 200 OK\r\nDate: x\r\n" });
}, 60_000);

test("1 GiB comes from a client for a slow upstream, never more on the way than buffers hold", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.socket.write("POST / HTTP/1.1\r\nHost: a\r\n");
  await passes(hop, {
    from: client.socket,
    to: async () => (await origin.peer(0)).socket,
    head: "",
  });
  expect(hop.exchanges[0]?.requestBodyBytes).toBe(PIECES * MIB);
}, 60_000);

interface Way {
  readonly from: Socket;
  readonly to: Socket | (() => Promise<Socket>);
  /** What the message begins with, up to its length. */
  readonly head: string;
}

/** Every byte of a message arrives as it was sent, whatever stops its reader makes. */
async function passes(hop: Hop, { from, to, head }: Way): Promise<void> {
  from.write(`${head}Content-Length: ${PIECES * MIB}\r\n\r\n`);
  const reader = typeof to === "function" ? await to() : to;
  reader.removeAllListeners("data");
  const [sent, received] = await Promise.all([send(from), receive(reader, from, hop)]);
  expect(received).toBe(sent);
}

/** Returns the hash of the body. */
async function send(socket: Socket): Promise<string> {
  const hash = createHash("sha1");
  const random = new SeededRandom(7);
  const piece = Buffer.allocUnsafe(MIB);
  for (let at = 0; at < MIB; at += 4) piece.writeUInt32LE(Math.floor(random.next() * 2 ** 32), at);
  for (let number = 0; number < PIECES; number++) {
    const numbered = Buffer.from(piece);
    numbered.writeUInt32LE(number); // so that one lost or doubled is seen
    hash.update(numbered);
    if (!socket.write(numbered)) await new Promise<void>((resolve) => socket.once("drain", () => resolve()));
  }
  return hash.digest("hex");
}

/** Reads the body behind the head, with stops. Returns its hash. */
async function receive(socket: Socket, from: Socket, hop: Hop): Promise<string> {
  const hash = createHash("sha1");
  let bodyBytes = 0;
  let stopAt = STOP_EVERY;
  let head: Buffer | undefined = Buffer.alloc(0);
  const sent = (): number => from.bytesWritten - from.writableLength;
  for await (const bytes of socket.iterator({ destroyOnReturn: false })) {
    let body: Buffer = bytes;
    if (head !== undefined) {
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) continue;
      body = head.subarray(end + 4);
      head = undefined;
    }
    hash.update(body);
    bodyBytes += body.length;
    if (bodyBytes >= PIECES * MIB) break;
    if (bodyBytes < stopAt) continue;
    stopAt += STOP_EVERY;
    await settled(sent, hop);
    expect(sent() - bodyBytes).toBeLessThan(ON_THE_WAY_MAX);
  }
  expect(bodyBytes).toBe(PIECES * MIB);
  return hash.digest("hex");
}

import { expect, test } from "vitest";
import { ClientReads, ReadBuffers } from "./client-reads.ts";

const LARGE = 65_536;
const FILLED = 16_384;
const streaming = { isStreaming: true } as const;
const resting = { isStreaming: false } as const;

/** A connection in the middle of a body, and the buffer of its own that it reads into. */
function inBody(buffers: ReadBuffers): { readonly reads: ClientReads; readonly own: Buffer } {
  const reads = new ClientReads(buffers);
  reads.buffer(resting);
  reads.read(FILLED);
  return { reads, own: reads.buffer(streaming) };
}

test("connections at rest share a buffer, and what they have read is theirs", () => {
  const buffers = new ReadBuffers();
  const [one, other] = [new ClientReads(buffers), new ClientReads(buffers)];
  one.buffer(resting).write("one");
  const read = one.read(3);
  expect(other.buffer(resting)).toBe(one.buffer(resting));
  other.buffer(resting).write("two");
  expect([read.toString(), other.read(3).toString()]).toEqual(["one", "two"]);
});

test("a body of large reads gets a buffer, which is read into as long as nobody keeps it, and goes on to the next", () => {
  const buffers = new ReadBuffers();
  const { reads, own } = inBody(buffers);
  expect(own).not.toBe(buffers.shared);
  expect(reads.read(LARGE)).toBe(own);
  expect(reads.buffer(streaming)).toBe(own);
  reads.read(10);
  expect(reads.buffer(streaming)).toBe(buffers.shared); // small reads are copied
  expect(inBody(buffers).own).toBe(own);
});

test("what is still to be written is not read over, and used again once it is written", () => {
  const buffers = new ReadBuffers();
  const { reads, own } = inBody(buffers);
  reads.read(LARGE);
  reads.keepUntilWritten();
  const second = reads.buffer(streaming);
  expect(second).not.toBe(own);
  expect(inBody(buffers).own).not.toBe(own);
  reads.allWritten();
  reads.read(LARGE);
  reads.keepUntilWritten();
  expect(reads.buffer(streaming)).toBe(own);
});

test.each(["before", "after"])(
  "what is kept for longer is never used again, written or not: kept %s it was to be written",
  (order) => {
    const buffers = new ReadBuffers();
    const { reads, own } = inBody(buffers);
    reads.read(LARGE);
    if (order === "before") reads.keep();
    reads.keepUntilWritten();
    if (order === "after") reads.keep();
    expect(reads.buffer(streaming)).not.toBe(own);
    reads.allWritten();
    expect(buffers.take()).not.toBe(own);
  },
);

test("what one body left to be written is not used again because the next one is written", () => {
  const buffers = new ReadBuffers();
  const { reads, own } = inBody(buffers);
  reads.read(LARGE);
  reads.keepUntilWritten();
  reads.buffer(streaming);
  reads.read(LARGE); // its end, and the next request's head
  reads.keep();
  reads.buffer(streaming);
  reads.allWritten();
  expect(buffers.take()).not.toBe(own);
});

test("the same where there is a pause between them", () => {
  const buffers = new ReadBuffers();
  const { reads, own } = inBody(buffers);
  reads.read(LARGE);
  reads.keepUntilWritten();
  reads.buffer(streaming);
  reads.read(10);
  reads.buffer(resting);
  reads.allWritten();
  expect(buffers.take()).not.toBe(own);
});

test("what is written is given back once", () => {
  const buffers = new ReadBuffers();
  const { reads, own } = inBody(buffers);
  reads.read(LARGE);
  reads.keepUntilWritten();
  reads.buffer(streaming);
  reads.allWritten();
  expect(buffers.take()).toBe(own);
  reads.allWritten();
  expect(buffers.take()).not.toBe(own);
});

test("a buffer is with one connection at a time", () => {
  const buffers = new ReadBuffers();
  const [one, other] = [inBody(buffers), inBody(buffers)];
  expect(one.own).not.toBe(other.own);
  for (const { reads } of [one, other]) reads.read(LARGE);
  one.reads.keepUntilWritten();
  one.reads.buffer(streaming);
  one.reads.allWritten();
  expect(inBody(buffers).own).toBe(one.own);
  expect(inBody(buffers).own).not.toBe(one.own);
});
